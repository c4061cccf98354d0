from .citations import cite as cite
from .sheets import Report as Report
from .sheets import report as report
