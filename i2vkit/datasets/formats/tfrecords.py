"""TFRecord files of ``tf.train.Example``s, read and written without TensorFlow.

A record is its length (uint64, little endian), a masked CRC-32C of those eight bytes, the data, and a masked CRC-32C of
the data (uint32 each). Source: TensorFlow's documentation, "TFRecord and tf.train.Example".
"""

import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from crc32c import crc32c
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from i2vkit.errors import MediaError
from i2vkit.media import atomic_path

_HEADER, _CRC = struct.Struct("<QI"), struct.Struct("<I")


@dataclass(frozen=True)
class RecordSpan:
    """The place of one record in a file.

    ``number`` counts from 0, and ``offset`` is the byte at which the record's length stands.
    """

    path: Path
    number: int
    offset: int
    length: int  # of the data, in bytes

    def __str__(self) -> str:
        return f"record {self.number} at byte {self.offset} of {self.path}"


def masked_crc(data: bytes | memoryview) -> int:
    """Compute the CRC-32C in the form that TFRecord files hold: rotated by 15 bits, with a constant added.

    >>> hex(masked_crc(b"123456789"))
    '0xc78ab0e5'
    """
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record_spans(path: Path) -> list[RecordSpan]:
    """List the records of a file from their lengths alone, without reading their data.

    Raises:
        MediaError: A length is damaged, or the file ends within a record. The message names the file, the record's
            number and its offset.
    """
    spans: list[RecordSpan] = []
    offset = 0
    try:
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            while offset < size:
                file.seek(offset)
                header = file.read(_HEADER.size)
                cut = MediaError(f"{path} is cut: it ends, at byte {size}, within record {len(spans)} at byte {offset}")
                if len(header) < _HEADER.size:
                    raise cut
                length, crc = _HEADER.unpack(header)
                span = RecordSpan(path, len(spans), offset, length)
                if masked_crc(header[:8]) != crc:
                    raise MediaError(f"the length of {span} is damaged (wrong CRC); fetch or unpack the file again")
                offset += _HEADER.size + length + _CRC.size
                if offset > size:
                    raise cut
                spans.append(span)
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror}") from error
    return spans


def read_record(span: RecordSpan) -> bytes:
    """Read the data of a record.

    Raises:
        MediaError: The data are not there any more, or their CRC is wrong.
    """
    try:
        with span.path.open("rb", buffering=0) as file:
            file.seek(span.offset + _HEADER.size)
            stored = file.read(span.length + _CRC.size)
    except OSError as error:
        raise MediaError(f"{span} cannot be read: {error.strerror}") from error
    data = memoryview(stored)[: span.length]
    if len(stored) < span.length + _CRC.size:
        raise MediaError(f"{span} is cut: {len(stored)} bytes of {span.length + _CRC.size}")
    if (masked_crc(data),) != _CRC.unpack(stored[span.length :]):
        raise MediaError(f"{span} is damaged (wrong CRC of its data); fetch or unpack the file again")
    return bytes(data)


def write_records(path: Path, records: Iterable[bytes]) -> None:
    """Write a file of records, completely or not at all.

    Raises:
        MediaError: The file cannot be written.
    """
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            for data in records:
                length = len(data).to_bytes(8, "little")
                file.write(length + _CRC.pack(masked_crc(length)) + data + _CRC.pack(masked_crc(data)))
    except OSError as error:
        raise MediaError(f"{path} cannot be written: {error}") from error


def encode_example(features: Mapping[str, bytes | np.ndarray]) -> bytes:
    """Encode a ``tf.train.Example``: bytes as one string, whole numbers as an int64 list and others as a float list."""
    example = _example_class()()
    for name, value in features.items():
        feature = example.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        elif np.issubdtype(value.dtype, np.integer):
            feature.int64_list.value.extend(value.ravel().tolist())
        else:
            feature.float_list.value.extend(value.ravel().tolist())
    return example.SerializeToString(deterministic=True)


def decode_example(data: bytes) -> dict[str, bytes | np.ndarray]:
    """Decode a ``tf.train.Example`` into bytes, or float32 or int64 (N,), by name. It inverts ``encode_example``.

    Of several strings in one feature the first is returned.

    Raises:
        MediaError: The data are no Example.

    >>> decode_example(encode_example({"a": b"x", "b": np.array([1.5, 2.0])}))["b"]
    array([1.5, 2. ], dtype=float32)
    """
    try:
        features = _example_class().FromString(data).features.feature
    except DecodeError as error:
        raise MediaError(f"no tf.train.Example: {error}") from error
    return {name: _value(feature) for name, feature in features.items()}


def _value(feature) -> bytes | np.ndarray:
    kind = feature.WhichOneof("kind")
    if kind == "bytes_list":
        return feature.bytes_list.value[0] if feature.bytes_list.value else b""
    if kind == "int64_list":
        return np.array(feature.int64_list.value, np.int64)
    return np.array(feature.float_list.value, np.float32)


@cache
def _example_class() -> type[Message]:
    """Make the message class, from a description in a pool of its own.

    TensorFlow, if it is installed, registers a class of the same name in the default pool. The class is made on first
    use, in each process. Field numbers are those of TensorFlow's example.proto and feature.proto.
    """
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tensorflow", syntax="proto3")

    def message(name: str, within=None, **options):
        if within is None:
            return file.message_type.add(name=name, **options)
        return within.nested_type.add(name=name, **options)

    def add(owner, number: int, name: str, type: int, type_name: str = "", label=field.LABEL_OPTIONAL, **options):
        kind = {"type_name": f".tensorflow.{type_name}"} if type_name else {}
        owner.field.add(name=name, number=number, type=type, label=label, **kind, **options)

    feature = message("Feature")
    feature.oneof_decl.add(name="kind")
    lists = (("BytesList", field.TYPE_BYTES), ("FloatList", field.TYPE_FLOAT), ("Int64List", field.TYPE_INT64))
    for number, (name, type) in enumerate(lists, start=1):
        add(message(name), 1, "value", type, label=field.LABEL_REPEATED)
        add(feature, number, f"{name[:-4].lower()}_list", field.TYPE_MESSAGE, name, oneof_index=0)
    features = message("Features")
    entry = message("FeatureEntry", features, options=descriptor_pb2.MessageOptions(map_entry=True))
    add(entry, 1, "key", field.TYPE_STRING)
    add(entry, 2, "value", field.TYPE_MESSAGE, "Feature")
    add(features, 1, "feature", field.TYPE_MESSAGE, "Features.FeatureEntry", label=field.LABEL_REPEATED)
    add(message("Example"), 1, "features", field.TYPE_MESSAGE, "Features")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))
