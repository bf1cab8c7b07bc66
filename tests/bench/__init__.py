"""Figures: what pages cost beside a bare page of the same server and database (``make bench``)."""
