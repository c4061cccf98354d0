"""Programmes of the *politique de la ville*."""
