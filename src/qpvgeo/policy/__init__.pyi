from .programmes import join_programmes as join_programmes
from .programmes import programme_members as programme_members
from .programmes import programmes as programmes
