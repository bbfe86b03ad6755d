"""The device under test: a GPU with NVIDIA's driver, or the simulator in its place."""

import ctypes
import dataclasses
import os

ATTRIBUTES = {"multiprocessors": 16, "clock_khz": 13, "memory_clock_khz": 36, "memory_bus_bits": 37, "l2_bytes": 38}
MAJOR, MINOR = 75, 76
OLDEST = 80  # kernels are for sm_80 and later
# Chips with machine code of their own, as --arch calls them; others run that of an earlier one, or the PTX.
ARCHES = {80: "sm_80", 86: "sm_86", 89: "sm_89", 90: "sm_90a", 100: "sm_100", 120: "sm_120"}
SIMULATED = (80, 86, 89, 90)


class NoDevice(Exception):
    """Why there is nothing to check, in one sentence."""


@dataclasses.dataclass
class Device:
    library: str  # what to dlopen
    simulated: bool
    name: str
    chip: int
    driver_version: str
    driver_number: int
    memory_bytes: int
    attributes: dict

    @property
    def arch(self):
        """What to compile for: the chip's own, or the latest before it."""
        return ARCHES[max(chip for chip in ARCHES if chip <= self.chip)]

    @property
    def twin(self):
        """The simulator's chip that is most like it."""
        return f"sm_{max(chip for chip in SIMULATED if chip <= self.chip)}"

    def facts(self):
        """For the report."""
        return {**dataclasses.asdict(self), "chip": f"sm_{self.chip}", "arch": self.arch, "kernel_driver": kernel_driver()}

    def describe(self):
        return f"{self.name}, sm_{self.chip}, driver {self.driver_version}, {self.memory_bytes / 2**30:.0f} GiB"


def simulate(chip):
    """Settings of the simulator for this process and its children: reports are errors, accesses are checked."""
    os.environ.update(DSCC_SIM_CHIP=chip, DSCC_SIM_CHECK=os.environ.get("DSCC_SIM_CHECK", "memory"), DSCC_SIM_FATAL="1")


def _call(library, name, *arguments):
    code = getattr(library, name)(*arguments)
    if code:
        text = ctypes.c_char_p()
        library.cuGetErrorName(code, ctypes.byref(text))
        raise NoDevice(f"{name}: {text.value.decode() if text.value else code}")


def find(library, simulated, ordinal):
    """The device with this ordinal. Raises NoDevice."""
    try:
        driver = ctypes.CDLL(library)
    except OSError as error:
        raise NoDevice(f"no CUDA driver: {error}; --device=sim runs everything on the simulator") from None
    _call(driver, "cuInit", 0)
    count, version = ctypes.c_int(), ctypes.c_int()
    _call(driver, "cuDeviceGetCount", ctypes.byref(count))
    if ordinal >= count.value:
        raise NoDevice(f"device {ordinal} is asked for, but there are {count.value}")
    device, name, memory = ctypes.c_int(), ctypes.create_string_buffer(100), ctypes.c_size_t()
    _call(driver, "cuDeviceGet", ctypes.byref(device), ordinal)
    _call(driver, "cuDeviceGetName", name, 100, device)
    _call(driver, "cuDriverGetVersion", ctypes.byref(version))
    _call(driver, "cuDeviceTotalMem_v2", ctypes.byref(memory), device)

    def attribute(number):
        value = ctypes.c_int()
        _call(driver, "cuDeviceGetAttribute", ctypes.byref(value), number, device)
        return value.value

    chip = 10 * attribute(MAJOR) + attribute(MINOR)
    if chip < OLDEST:
        raise NoDevice(f"{name.value.decode()} is sm_{chip}, and dscc's kernels need sm_{OLDEST} or later")
    number = version.value
    return Device(library, simulated, name.value.decode(), chip, f"{number // 1000}.{number % 1000 // 10}", number,
                  memory.value, {key: attribute(one) for key, one in ATTRIBUTES.items()})


def kernel_driver():
    """What the machine's kernel says of NVIDIA's module, such as 570.124.06; empty without one."""
    try:
        with open("/proc/driver/nvidia/version", encoding="utf-8") as file:
            return file.readline().strip()
    except OSError:
        return ""
