from .vat import vat_zone as vat_zone
