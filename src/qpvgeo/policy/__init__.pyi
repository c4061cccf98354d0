from .changes import people_in_and_out as people_in_and_out
from .contracts import ContratDeVille as ContratDeVille
from .contracts import contrat_de_ville as contrat_de_ville
from .programmes import join_programmes as join_programmes
from .programmes import programme_members as programme_members
from .programmes import programmes as programmes
