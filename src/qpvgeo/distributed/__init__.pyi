from .dask_frames import estimate_population_dask as estimate_population_dask
from .dask_frames import overlap_dask as overlap_dask
from .dask_frames import pass_communes_dask as pass_communes_dask
from .dask_frames import tag_dask as tag_dask
from .spark_frames import SparkExecutor as SparkExecutor
from .spark_frames import tag_spark as tag_spark
from .tag_folder import tag_files as tag_files
from .tag_job import TagJob as TagJob
