from .by_territory import coverage as coverage
from .qpv_communes import audit_communes as audit_communes
from .qpv_communes import join_communes as join_communes
from .series import SeriesBreakWarning as SeriesBreakWarning
from .series import compare as compare
from .series import series_breaks as series_breaks
from .totals import published_summary as published_summary
from .totals import summary as summary
