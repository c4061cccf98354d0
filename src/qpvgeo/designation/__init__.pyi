from .agreement import Agreement as Agreement
from .agreement import compare_with_official as compare_with_official
from .eligibility import eligible_cells as eligible_cells
from .sensitivity import designation_sensitivity as designation_sensitivity
from .thresholds import income_threshold as income_threshold
from .what_if import judge_perimeters as judge_perimeters
from .zones import CandidateZones as CandidateZones
from .zones import candidate_zones as candidate_zones
