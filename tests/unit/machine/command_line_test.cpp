// Details of the command line that the goldens do not show: quoting, names, order, trials.
#include "../os/scratch.h"
#include "documents.h"
#include "machine/arguments.h"
#include "machine/devices.h"

#include <nlohmann/json.hpp>

namespace domsnap::machine::test {
namespace {

std::string disk(const std::string& target, const std::string& bus, const std::string& more = "") {
    return fmt::format("<disk type='file'><source file='/{0}'/><target dev='{0}' bus='{1}'/>{2}</disk>",
                       target, bus, more);
}

TEST(Quoting, CommasAreDoubledWhereQemuSplitsAtThem) {
    EXPECT_EQ(escape_commas("a,b,,c"), "a,,b,,,,c");
    auto text = document("");
    text.replace(text.find("<name>t"), 7, "<name>a,-drive x=y");
    EXPECT_EQ(value_of(argv_of(text), "-name"), "guest=a,,-drive x=y,debug-threads=on");
}

TEST(Quoting, AMachineTypeCannotSmuggleProperties) {
    EXPECT_TRUE(value_of(argv_of(document("", "", "pc-q35-7.2,memory-backend=other")), "-machine")
                    .starts_with("pc-q35-7.2,,memory-backend=other,usb=off"));
}

TEST(Quoting, JsonGivesBackEveryPath) {
    const std::string path = "/a, b=c \"d\" \\e/ünïcode 虎\t.raw";
    auto facts = golden_facts("", 7);
    facts.chains["vda"] = {{path, "raw"}};
    const auto argv = argv_of(document(disk("vda", "virtio")), facts);
    const auto node = Json::parse(values_of(argv, "-blockdev", "\"vda-0-file\"").front());
    EXPECT_EQ(node["filename"], path);
}

TEST(Quoting, AFileNameThatIsNotUtf8IsRefused) {
    auto facts = golden_facts("", 7);
    facts.chains["vda"] = {{"/\xff\xfe", "raw"}};
    error_of(ErrorCode::unsupported, [&] { argv_of(document(disk("vda", "virtio")), facts); });
}

TEST(Nodes, AFileBelowDevIsAFile) {
    char path[] = "/dev/shm/domsnap-test-XXXXXX";
    const int made = ::mkstemp(path);
    ASSERT_GE(made, 0);
    ::close(made);
    auto facts = golden_facts("", 7);
    const auto driver_of = [&](const std::string& image) {
        facts.chains["vda"] = {{image, "raw"}};
        const auto argv = argv_of(document(disk("vda", "virtio")), facts);
        return Json::parse(values_of(argv, "-blockdev", "\"vda-0-file\"").front())["driver"];
    };
    EXPECT_EQ(driver_of(path), "file");
    ::unlink(path);
    EXPECT_EQ(driver_of("/dev/group/volume"), "host_device") << "one that is not there yet";
}

TEST(Ram, IsMappedPrivatelyFromAnImage) {
    auto facts = golden_facts("", 7);
    facts.ram_image = "/vm/s,1.mem";
    const auto object = [&] {
        return Json::parse(values_of(argv_of(document(""), facts), "-object", "\"pc.ram\"").front());
    };
    EXPECT_EQ(object()["mem-path"], "/vm/s,1.mem");
    EXPECT_EQ(object()["share"], false);
    EXPECT_FALSE(object().contains("rom")) << "QEMU 7.2 does not know it";
    facts.qemu_major = 10, facts.qemu_minor = 0;
    EXPECT_EQ(object()["readonly"], true);
    EXPECT_EQ(object()["rom"], "off");
    facts.trial = true;
    EXPECT_EQ(object()["qom-type"], "memory-backend-ram");
}

TEST(Nodes, AreNamedByTargetAndDepth) {
    EXPECT_EQ(node_name("vda", 0), "vda-0");
    EXPECT_LE((node_name(std::string(20, 'a'), 99999) + "-file").size(), 31U);
    error_of(ErrorCode::unsupported, [] { node_name(std::string(40, 'a'), 0); });
}

TEST(Nodes, EveryBackingImageIsReadOnlyAndNamedByUs) {
    auto facts = golden_facts("", 7);
    facts.chains["vda"] = {{"/c", "qcow2"}, {"/b", "qcow2"}, {"/a", "raw"}};
    const auto argv = argv_of(document(disk("vda", "virtio")), facts);
    std::vector<Json> nodes;
    for (const auto& node : values_of(argv, "-blockdev"))
        nodes.push_back(Json::parse(node));
    ASSERT_EQ(nodes.size(), 6U);
    EXPECT_EQ(nodes[1]["read-only"], true);
    EXPECT_EQ(nodes[3]["backing"], "vda-0");
    EXPECT_EQ(nodes[5]["backing"], "vda-1");
    EXPECT_EQ(nodes[5]["read-only"], false);
    EXPECT_EQ(Json::parse(values_of(argv, "-device", "virtio-blk").front())["drive"], "vda-2");
}

TEST(Nodes, AQcowWithoutABackingImageSaysSo) {
    auto facts = golden_facts("", 7);
    facts.chains["vda"] = {{"/a", "qcow2"}};
    const auto argv = argv_of(document(disk("vda", "virtio")), facts);
    const auto node = Json::parse(values_of(argv, "-blockdev", "\"vda-0\"").front());
    ASSERT_TRUE(node.contains("backing"));
    EXPECT_TRUE(node["backing"].is_null());
}

TEST(Ids, AreLibvirtsAndHoldAcrossDocuments) {
    const auto domain = domain_of(document(disk("vdc", "virtio") + disk("sdb", "sata") + disk("sdj", "scsi") +
                                           disk("sde", "usb") + disk("vdaa", "virtio")));
    EXPECT_EQ(disk_device_id(domain, "vdc"), "virtio-disk2");
    EXPECT_EQ(disk_device_id(domain, "sdb"), "sata0-0-1");
    EXPECT_EQ(disk_device_id(domain, "sdj"), "scsi1-0-0-2");
    EXPECT_EQ(disk_device_id(domain, "sde"), "usb-disk4");
    EXPECT_EQ(disk_device_id(domain, "vdaa"), "virtio-disk26");
    error_of(ErrorCode::not_found, [&] { disk_device_id(domain, "vdz"); });
}

TEST(Ids, TheDocumentsOwnAliasCounts) {
    const auto domain = domain_of(document(disk("vda", "virtio", "<alias name='ua-root'/>")));
    EXPECT_EQ(disk_device_id(domain, "vda"), "ua-root");
    const auto other = domain_of(document(disk("vda", "virtio", "<alias name='virtio-disk7'/>")));
    EXPECT_EQ(disk_device_id(other, "vda"), "virtio-disk0") << "libvirt's own aliases are made anew";
}

TEST(Ids, AreRecognizedInWhatQueryBlockSays) {
    EXPECT_TRUE(names_device("sata0-0-0", "sata0-0-0"));
    EXPECT_TRUE(names_device("/machine/peripheral/virtio-disk0/virtio-backend", "virtio-disk0"));
    EXPECT_TRUE(names_device("/machine/peripheral/virtio-disk0", "virtio-disk0"));
    EXPECT_FALSE(names_device("/machine/peripheral/virtio-disk01/virtio-backend", "virtio-disk0"));
    EXPECT_FALSE(names_device("/machine/peripheral-anon/virtio-disk0", "virtio-disk0"));
    EXPECT_FALSE(names_device("", "virtio-disk0"));
}

TEST(Order, DevicesWithAddressesComeBeforeThoseWithout) {
    const auto argv =
        argv_of(document("<rng model='virtio'><backend model='builtin'/></rng>"
                         "<memballoon model='virtio'><address type='pci' slot='0x01'/></memballoon>"));
    const auto devices = values_of(argv, "-device");
    ASSERT_EQ(devices.size(), 2U);
    EXPECT_NE(devices[0].find("virtio-balloon"), std::string::npos);
}

TEST(Order, BridgesComeBeforeWhatSitsOnThem) {
    const auto argv = argv_of(document("<controller type='pci' index='2' model='pcie-switch-downstream-port'>"
                                       "<address type='pci' bus='3' slot='0'/></controller>"
                                       "<controller type='pci' index='3' model='pcie-switch-upstream-port'>"
                                       "<address type='pci' bus='1' slot='0'/></controller>"
                                       "<controller type='pci' index='1' model='pcie-root-port'>"
                                       "<address type='pci' bus='0' slot='3'/></controller>"));
    const auto devices = values_of(argv, "-device");
    ASSERT_EQ(devices.size(), 3U);
    EXPECT_NE(devices[0].find("pcie-root-port"), std::string::npos);
    EXPECT_NE(devices[1].find("x3130-upstream"), std::string::npos);
    EXPECT_NE(devices[2].find("xio3130-downstream"), std::string::npos);
}

TEST(Display, IsForThisHostAloneUnlessTheDocumentSaysOtherwise) {
    const auto vnc = [](const std::string& graphics) {
        return value_of(argv_of(document(graphics)), "-vnc");
    };
    EXPECT_EQ(vnc("<graphics type='vnc'/>"), "127.0.0.1:0,to=99");
    EXPECT_EQ(vnc("<graphics type='vnc' port='5907' autoport='no'/>"), "127.0.0.1:7");
    EXPECT_EQ(vnc("<graphics type='vnc' listen='0.0.0.0'/>"), "0.0.0.0:0,to=99");
    EXPECT_EQ(vnc("<graphics type='vnc'><listen type='none'/></graphics>"), "none");
    EXPECT_EQ(vnc(""), "");
}

TEST(Sockets, AreHandedOverByDescriptor) {
    const auto text = document("<serial type='unix'><source mode='bind' path='/run/a.sock'/></serial>"
                               "<channel type='unix'><target type='virtio' name='../x y'/></channel>"
                               "<serial type='unix'><source mode='connect' path='/run/b.sock'/></serial>");
    const auto paths = listening_sockets(domain_of(text), "/run/r");
    ASSERT_EQ(paths.size(), 2U);
    EXPECT_EQ(paths[0], "/run/a.sock");
    EXPECT_EQ(paths[1].find("/run/r/"), 0U);
    EXPECT_EQ(paths[1].find('/', 7), std::string::npos) << "a channel's name is no path: " << paths[1];
    auto facts = golden_facts("", 7);
    facts.channel_fds["/run/a.sock"] = 9;
    EXPECT_EQ(values_of(argv_of(text, facts), "-chardev", "charserial0").front(),
              "socket,id=charserial0,fd=9,server=on,wait=off");
}

TEST(Environment, HoldsTheTimeZoneAndWhatTheDocumentAdds) {
    using Variables = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(environment(domain_of(golden_text("passthrough"))),
              (Variables{{"TZ", "Europe/Berlin"}, {"QEMU_AUDIO_DRV", "none"}}));
    EXPECT_TRUE(environment(domain_of(document(""))).empty());
}

TEST(Passthrough, IsFoundWhateverItsPrefixIs) {
    auto text = golden_text("passthrough");
    for (size_t at = 0; (at = text.find("qemu:", at)) != std::string::npos;)
        text.replace(at, 5, "q:");
    text.replace(text.find("xmlns:qemu"), 10, "xmlns:q");
    EXPECT_EQ(argv_of(text).back(), "virtio-net-pci,netdev=mine");
}

TEST(Trials, OpenNothingOfTheHost) {
    for (const auto& name : goldens()) {
        auto facts = golden_facts(name, 7);
        facts.trial = true;
        facts.monitor_fd = 3;
        facts.virtual_sizes["vda"] = 12345 * 512;
        const auto argv = command_line(domain_of(golden_text(name)), facts);
        for (const auto& chardev : values_of(argv, "-chardev"))
            EXPECT_TRUE(chardev.starts_with("null,") || chardev == "socket,id=charmonitor,fd=3")
                << name << ": " << chardev;
        for (const auto& node : values_of(argv, "-blockdev"))
            EXPECT_EQ(Json::parse(node)["driver"], "null-co") << name;
        EXPECT_TRUE(values_of(argv, "-vnc").empty()) << name;
        EXPECT_TRUE(values_of(argv, "-netdev", "hostfwd").empty()) << name;
        EXPECT_EQ(values_of(argv, "-mon").size(), 1U) << name;
    }
}

TEST(Trials, KeepTheMachineAsItIs) {
    auto facts = golden_facts("", 7);
    const auto real = argv_of(golden_text("libvirt-q35"), facts);
    facts.trial = true;
    const auto tried = argv_of(golden_text("libvirt-q35"), facts);
    for (const auto* option : {"-device", "-machine", "-cpu", "-smp", "-m", "-object"})
        EXPECT_EQ(values_of(real, option), values_of(tried, option)) << option;
}

TEST(Printable, HasAnOptionALine) {
    EXPECT_EQ(printable_command_line({"/bin/qemu", "-S", "-name", "guest=a\nb", "-nodefaults"}),
              "/bin/qemu\n-S\n-name guest=a\\x0ab\n-nodefaults\n");
}

} // namespace
} // namespace domsnap::machine::test
