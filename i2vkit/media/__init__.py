"""Reading and writing of image and video files.

Frames are uint8 RGB, and files are written completely or not at all.
"""

from i2vkit.media.files import atomic_path, remove_leftovers
from i2vkit.media.images import IMAGE_SUFFIXES, image_paths, read_image, write_image
from i2vkit.media.sound import SOUND_SUFFIXES, Sound, read_sound
from i2vkit.media.video_facts import VIDEO_SUFFIXES, VideoFacts, video_facts, video_fps, video_length, whole_facts
from i2vkit.media.video_reading import iterate_video, read_video
from i2vkit.media.video_writing import VideoWriter, write_video

__all__ = [
    "SOUND_SUFFIXES",
    "IMAGE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "Sound",
    "VideoFacts",
    "VideoWriter",
    "atomic_path",
    "image_paths",
    "iterate_video",
    "read_image",
    "read_sound",
    "read_video",
    "remove_leftovers",
    "video_facts",
    "video_fps",
    "video_length",
    "whole_facts",
    "write_image",
    "write_video",
]
