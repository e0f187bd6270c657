// What cannot be run is refused by its element, its line and a reason; what asks nothing of QEMU is passed
// over.
#include "../os/scratch.h"
#include "documents.h"

namespace domsnap::machine::test {
namespace {

struct Refusal {
    std::string name, text, expected;
};

/// A q35 with these elements in <os>, on line 2.
std::string uefi(const std::string& inside, const std::string& attributes = "") {
    return fmt::format("<domain type='qemu'><name>t</name><memory>65536</memory>"
                       "<os{}><type machine='q35'>hvm</type>\n{}</os></domain>",
                       attributes, inside);
}

/// In document(), <devices> opens on line 3 and its content begins on line 4.
const std::vector<Refusal> refusals = {
    {"hostdev", document("<hostdev mode='subsystem' type='pci'/>\n"), "<hostdev> at line 4"},
    {"network",
     document(
         "<memballoon model='none'/>\n<interface type='network'><source network='default'/></interface>"),
     "<interface type='network'> at line 5"},
    {"bridge", document("<interface type='bridge'><source/></interface>"),
     "<interface type='bridge'> at line 4"},
    {"direct", document("<interface type='direct'><source dev='eth0' mode='bridge'/></interface>"),
     "<interface type='direct'> at line 4"},
    {"ip_of_a_bridge",
     document("<interface type='bridge'><source bridge='br0'/><ip address='10.0.0.1'/></interface>"),
     "<ip> at line 4"},
    {"portgroup", document("<interface type='network'><source network='n' portgroup='p'/></interface>"),
     "<source portgroup='p'> at line 4"},
    {"spice", document("<graphics type='spice'/>"), "<graphics type='spice'> at line 4"},
    {"vnc_password", document("<graphics type='vnc' passwd='x'/>"), "passwd= would be seen"},
    {"spicevmc",
     document("<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>"),
     "<channel type='spicevmc'> at line 4"},
    {"qxl", document("<video><model type='qxl'/></video>"), "<model type='qxl'> at line 4"},
    {"unknown_device", document("<teleporter/>"), "<teleporter> at line 4"},
    {"unknown_element", document("", "<launchSecurity type='sev'/>\n"), "<launchSecurity> at line 3"},
    {"unknown_child", document("<disk type='file'><source file='/a'/><target dev='vda'/><mirror/></disk>"),
     "<mirror> at line 4"},
    {"shareable", document("<disk type='file'><source file='/a'/><target dev='vda'/><shareable/></disk>"),
     "<shareable>"},
    {"network_disk",
     document("<disk type='network'><source protocol='rbd' name='x'/><target dev='vda'/></disk>"),
     "<disk type='network'> at line 4"},
    {"lun", document("<disk type='block' device='lun'><source dev='/dev/sda'/><target dev='sda'/></disk>"),
     "<disk device='lun'> at line 4"},
    {"format",
     document("<disk type='file'><driver type='vmdk'/><source file='/a'/><target dev='vda'/></disk>"),
     "has the format 'vmdk'"},
    {"cache",
     document("<disk type='file'><driver cache='magic'/><source file='/a'/><target dev='vda'/></disk>"),
     "<driver cache='magic'>"},
    {"native_io",
     document("<disk type='file'><driver io='native'/><source file='/a'/><target dev='vda'/></disk>"),
     "<driver io='native'> at line 4: domsnap cannot run this: native I/O needs cache='none'"},
    {"virtio_cdrom", document("<disk type='file' device='cdrom'><target dev='vda' bus='virtio'/></disk>"),
     "a cdrom cannot be on the bus 'virtio'"},
    {"empty_disk", document("<disk type='file'><target dev='vda'/></disk>"), "it has no medium"},
    {"ide_on_q35", document("<disk type='file'><source file='/a'/><target dev='hda' bus='ide'/></disk>"),
     "a q35 has no IDE"},
    {"target", document("<disk type='file'><source file='/a'/><target dev='disk1' bus='virtio'/></disk>"),
     "<target dev='disk1'> at line 4"},
    {"no_such_bus",
     document("<memballoon model='virtio'><address type='pci' bus='0x07' slot='0x01'/></memballoon>"),
     "<address bus='0x07'> at line 4"},
    {"slot", document("<memballoon model='virtio'><address type='pci' bus='0' slot='0x20'/></memballoon>"),
     "a bus has slots 0 to 31"},
    {"pci_circle",
     document("<controller type='pci' index='1' model='pcie-root-port'><address type='pci' bus='2' slot='0'/>"
              "</controller>\n<controller type='pci' index='2' model='pcie-root-port'>"
              "<address type='pci' bus='1' slot='0'/></controller>"),
     "in a circle"},
    {"two_of_one_index",
     document("<controller type='pci' index='1' model='pcie-root-port'/>\n"
              "<controller type='pci' index='1' model='pcie-root-port'/>"),
     "<controller index='1'> at line 5"},
    {"wrong_root", document("<controller type='pci' model='pci-root'/>"), "another root bus"},
    {"filesystem", document("<filesystem type='mount'/>"), "<filesystem> at line 4"},
    {"tpm_passthrough", document("<tpm model='tpm-tis'><backend type='passthrough'/></tpm>"),
     "<backend type='passthrough'> at line 4"},
    {"tpm_external", document("<tpm><backend type='external'/></tpm>"),
     "<backend type='external'> at line 4"},
    {"tpm_encrypted",
     document("<tpm><backend type='emulator' version='2.0'><encryption secret='x'/></backend></tpm>"),
     "<encryption> at line 4"},
    {"tpm_12", document("<tpm><backend type='emulator' version='1.2'/></tpm>"), "<backend version='1.2'>"},
    {"tpm_model", document("<tpm model='tpm-spapr'><backend type='emulator'/></tpm>"),
     "<tpm model='tpm-spapr'>"},
    {"two_tpms", document("<tpm><backend type='emulator'/></tpm>\n<tpm><backend type='emulator'/></tpm>"),
     "<tpm> at line 5"},
    {"machine", document("", "", "microvm"), "<type machine='microvm'> at line 2"},
    {"memfd", document("", "<memoryBacking><source type='memfd'/></memoryBacking>\n"),
     "<source type='memfd'> at line 3"},
    {"hugepages", document("", "<memoryBacking><hugepages/></memoryBacking>\n"),
     "guest memory must be anonymous"},
    {"numa", document("", "<cpu mode='maximum'><numa><cell id='0' cpus='0' memory='1'/></numa></cpu>\n"),
     "<numa> at line 3"},
    {"topology", document("", "<vcpu>2</vcpu><cpu><topology sockets='1' cores='4' threads='1'/></cpu>\n"),
     "it makes 4 CPUs, and <vcpu> says 2"},
    {"cpu_injection", document("", "<cpu mode='custom'><model>max,+x</model></cpu>\n"), "<model> at line 3"},
    {"on_reboot", document("", "<on_reboot>preserve</on_reboot>\n"), "<on_reboot> at line 3"},
    {"on_poweroff", document("", "<on_poweroff>restart</on_poweroff>\n"), "<on_poweroff> at line 3"},
    {"timer", document("", "<clock><timer name='platform'/></clock>\n"), "<timer name='platform'> at line 3"},
    {"audio", document("<audio id='1' type='pulseaudio'/>"), "<audio type='pulseaudio'> at line 4"},
    {"both_boot_orders",
     "<domain type='qemu'><name>t</name><memory>65536</memory><os><type>hvm</type>\n<boot "
     "dev='hd'/></os><devices>"
     "<interface type='user'><boot order='1'/></interface></devices></domain>",
     "<boot> at line 2"},
    {"efi_of_bios", uefi("<loader type='rom'>/f</loader>", " firmware='efi'"),
     "<loader type='rom'> at line 2"},
    {"writable_loader", uefi("<loader readonly='no' type='pflash'>/f</loader><nvram>/v</nvram>"),
     "<loader readonly='no'> at line 2"},
    {"nvram_without_loader", uefi("<nvram>/v</nvram>"), "<nvram> at line 2"},
    {"relative_nvram", uefi("<loader type='pflash'>/f</loader><nvram>v</nvram>"), "<loader> at line 2"},
    {"network_nvram", uefi("<loader type='pflash'>/f</loader><nvram type='network'/>"),
     "<nvram type='network'> at line 2"},
    {"converted_nvram",
     uefi("<loader type='pflash'>/f</loader><nvram templateFormat='raw' format='qcow2'>/v</nvram>"),
     "<nvram templateFormat='raw'> at line 2"},
    {"secure_without_smm", uefi("<loader type='pflash' secure='yes'>/f</loader><nvram>/v</nvram>"),
     "Secure boot requires SMM"},
    {"unknown_firmware", uefi("", " firmware='uefi'"), "<os firmware='uefi'>"},
    {"xen", "<domain type='xen'><name>t</name><memory>65536</memory><os><type>hvm</type></os></domain>",
     "<domain type='xen'> at line 1"},
    {"arm",
     "<domain type='qemu'><name>t</name><memory>65536</memory><os><type "
     "arch='aarch64'>hvm</type></os></domain>",
     "<type arch='aarch64'> at line 1"},
    {"undeclared_namespace", document("", "<qemu:commandline/>\n"), "qemu:commandline"},
    {"static_label", document("", "<seclabel type='static' model='dac'/>\n"),
     "<seclabel type='static'> at line 3"},
    {"second_serial_console", document("<console type='pty'/><console type='pty'/>"), "<console> at line 4"},
    {"tcp_serial", document("<serial type='tcp'><source mode='bind' host='0.0.0.0' service='1'/></serial>"),
     "<serial type='tcp'> at line 4"},
    {"bad_alias", document("<memballoon model='virtio'><alias name='ua-a,b'/></memballoon>"),
     "<alias name='ua-a,b'> at line 4"},
};

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, ByElementLineAndReason) {
    try {
        argv_of(GetParam().text);
        FAIL() << "it was not refused";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(GetParam().expected), std::string::npos) << error.what();
        const bool by_us = error.code() == ErrorCode::unsupported;
        EXPECT_TRUE(by_us || GetParam().name == "undeclared_namespace") << to_string(error.code());
    }
}

INSTANTIATE_TEST_SUITE_P(Documents, Refused, testing::ValuesIn(refusals),
                         [](const auto& p) { return p.param.name; });

TEST(PassedOver, WhatAsksNothingOfQemu) {
    const auto plain = argv_of(document(""));
    const auto more =
        argv_of(document("", "<title>t</title><description>d</description>"
                             "<metadata><a:b xmlns:a='urn:x'/></metadata>"
                             "<currentMemory>1</currentMemory><resource><partition>/m</partition></resource>"
                             "<seclabel type='none'/><sysinfo type='smbios'/>"
                             "<on_crash>restart</on_crash><on_lockfailure>poweroff</on_lockfailure>\n"));
    EXPECT_EQ(plain, more);
}

TEST(PassedOver, ControlCharactersOfADocumentDoNotForgeASecondLine) {
    try {
        argv_of(document("<graphics type='sp&#10;error: forged'/>"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
}

} // namespace
} // namespace domsnap::machine::test
