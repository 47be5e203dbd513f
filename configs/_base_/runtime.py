"""What every training shares: logs, checkpoints, pictures while it runs, random states."""

from mmengine.hooks import DistSamplerSeedHook, IterTimerHook, LoggerHook, ParamSchedulerHook, RuntimeInfoHook
from mmengine.runner import IterBasedTrainLoop, LogProcessor, TestLoop, ValLoop
from mmengine.visualization import LocalVisBackend, TensorboardVisBackend, Visualizer

from i2vkit.engine.hooks import IterationSeedHook, SampleStripHook
from i2vkit.engine.saving import SafeCheckpointHook

default_scope = "i2vkit"
randomness = dict(seed=0, deterministic=False)
env_cfg = dict(
    # cuDNN tries its algorithms for each new shape and keeps the fastest, which pays as batches have one shape. Give
    # False where clips of many lengths train (WholeClip in the pipeline). tools/train.py --deterministic turns it off.
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)

train_cfg = dict(type=IterBasedTrainLoop, max_iters=100_000, val_interval=5000)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)

default_hooks = dict(
    runtime_info=dict(type=RuntimeInfoHook),
    timer=dict(type=IterTimerHook),
    sampler_seed=dict(type=DistSamplerSeedHook),
    logger=dict(type=LoggerHook, interval=10, log_metric_by_epoch=False),
    param_scheduler=dict(type=ParamSchedulerHook),
    checkpoint=dict(
        type=SafeCheckpointHook,
        interval=1000,
        max_keep_ckpts=3,
        save_best="ssim_improvement",
        rule="greater",
        by_epoch=False,
    ),
)
custom_hooks = dict(seed=dict(type=IterationSeedHook), strips=dict(type=SampleStripHook, interval=1000, num=4))

log_processor = dict(type=LogProcessor, window_size=10, by_epoch=False)
visualizer = dict(type=Visualizer, vis_backends=[dict(type=LocalVisBackend), dict(type=TensorboardVisBackend)])

load_from = None
resume = False
