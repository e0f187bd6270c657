"""Domain XML for the test guest, in the form that libvirt's users write."""
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr


@dataclass
class Disk:
    target: str
    path: str
    bus: str = "virtio"
    format: str = "qcow2"
    extra: str = ""  # further elements inside <disk>
    device: str = "disk"
    snapshot: str = ""

    def xml(self):
        snapshot = f" snapshot={quoteattr(self.snapshot)}" if self.snapshot else ""
        source = f"<source file={quoteattr(str(self.path))}/>" if self.path else ""
        return f"""
    <disk type='file' device={quoteattr(self.device)}{snapshot}>
      <driver name='qemu' type={quoteattr(self.format)}/>
      {source}
      <target dev={quoteattr(self.target)} bus={quoteattr(self.bus)}/>
      {self.extra}
    </disk>"""


def unix_serial(port, path):
    return f"""
    <serial type='unix'>
      <source mode='bind' path={quoteattr(str(path))}/>
      <target port='{port}'/>
    </serial>"""


def domain_xml(name, disks, kernel, initrd, console, command, *, machine="q35", memory_mib=256, vcpus=1,
               parameters="", emulator="", devices="", uuid="", metadata="", virtualization="qemu"):
    """kernel, initrd: files for the direct boot; console, command: paths of the sockets of the two serial ports."""
    return f"""<domain type='{virtualization}'>
  <name>{name}</name>
  {f"<uuid>{uuid}</uuid>" if uuid else ""}
  {metadata}
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu>{vcpus}</vcpu>
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 quiet {parameters}</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    {f"<emulator>{emulator}</emulator>" if emulator else ""}
    {"".join(disk.xml() for disk in disks)}
    {unix_serial(0, console)}
    {unix_serial(1, command)}
    {devices}
    <memballoon model='none'/>
  </devices>
</domain>
"""
