// Documents as virt-install and libvirt write them, and as people do: what domsnap sees in them, and that
// nothing is lost.
#include "base/error.h"
#include "golden.h"
#include "model/domain.h"
#include "xml/document.h"
#include "xml/validate.h"

using namespace domsnap;

namespace {

const std::filesystem::path folder = TEST_DATA "/domain";

model::Element document(const char* name) {
    return xml::parse_root(golden::read(folder / name), "domain", name);
}
model::Domain domain(const char* name) { return model::domain_from(document(name)); }

std::string refusal(const std::string& text) {
    try {
        static_cast<void>(model::domain_from(xml::parse_root(text, "domain", "given.xml")));
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_request);
        return error.what();
    }
    return "accepted";
}

const std::string libvirts_schema = "/usr/share/libvirt/schemas/domain.rng";

} // namespace

TEST(DomainDocuments, come_back_byte_for_byte) {
    for (const auto& file : golden::files(folder, ".xml")) {
        const auto text = golden::read(file);
        EXPECT_EQ(model::to_text(xml::parse(text, file)) + "\n", text) << file;
    }
}

TEST(DomainDocuments, come_back_byte_for_byte_when_laid_out_again) {
    for (const char* name : {"virt-install-q35.xml", "virt-install-pc.xml", "lab-minimal.xml"})
        EXPECT_EQ(model::to_pretty_text(document(name)), golden::read(folder / name)) << name;
}

TEST(DomainDocuments, show_what_domsnap_acts_on) {
    const auto q35 = domain("virt-install-q35.xml");
    EXPECT_EQ(q35.name, "debian12");
    EXPECT_EQ(q35.uuid, "2f7e19a1-5b14-4b0c-9f43-2ad7dba2a3e7");
    EXPECT_EQ(q35.type, "kvm");
    EXPECT_EQ(q35.arch, "x86_64");
    EXPECT_EQ(q35.machine, "pc-q35-7.2");
    EXPECT_EQ(q35.emulator, "/usr/bin/qemu-system-x86_64");
    EXPECT_EQ(q35.memory, 2ull << 30);
    EXPECT_EQ(q35.vcpus, 2u);
    ASSERT_EQ(q35.disks.size(), 2u);
    EXPECT_EQ(q35.disks[0].source, "/var/lib/libvirt/images/debian12.qcow2");
    EXPECT_FALSE(q35.disks[0].defaults_to_no());
    EXPECT_EQ(q35.disks[1].device, model::DiskDevice::cdrom);
    EXPECT_TRUE(q35.disks[1].empty());
    EXPECT_GT(q35.disks[1].line, q35.disks[0].line);
}

TEST(DomainDocuments, show_disks_of_every_kind) {
    const auto pc = domain("virt-install-pc.xml");
    ASSERT_EQ(pc.disks.size(), 4u);
    EXPECT_EQ(pc.disks[0].source, "/srv/vm/old server's disk.qcow2");
    EXPECT_EQ(pc.disks[0].snapshot, model::Location::external);
    EXPECT_EQ(pc.disks[1].type, "block");
    EXPECT_EQ(pc.disks[1].source, "/dev/vg0/data");
    EXPECT_TRUE(pc.disks[1].readonly && pc.disks[2].readonly && !pc.disks[3].readonly);
    EXPECT_TRUE(pc.disks[3].defaults_to_no());
    EXPECT_EQ(pc.find_disk("/dev/vg0/data"), &pc.disks[1]);
    EXPECT_EQ(pc.find_disk("sda"), &pc.disks[1]);
    EXPECT_EQ(pc.find_disk("sdb"), nullptr);
    const auto lab = domain("lab-commandline.xml");
    EXPECT_EQ(lab.name, "labor-ä€");
    EXPECT_EQ(lab.memory, 1'000'000'000ull / 1024 * 1024 + 1024);
    EXPECT_FALSE(lab.disks[1].empty());
    EXPECT_EQ(domain("lab-minimal.xml").disks[0].bus, "virtio");
}

TEST(DomainDocuments, keep_the_rest_when_a_disk_moves) {
    auto lab = domain("lab-commandline.xml");
    model::set_disk_source(lab, "vda", "block", "/dev/vg/new", "raw");
    auto expected = golden::read(folder / "lab-commandline.xml");
    const auto begin = expected.find("      <driver"), end = expected.find("      <target");
    expected.replace(begin, end - begin,
                     "      <driver name='qemu' type='raw'/>\n"
                     "      <source dev='/dev/vg/new' startupPolicy='optional'/>\n");
    expected.replace(expected.find("type='file'"), 11, "type='block'");
    EXPECT_EQ(model::to_text(lab.document) + "\n", expected);
    EXPECT_EQ(lab.find_disk("/dev/vg/new"), &lab.disks[0]);
}

TEST(DomainDocuments, show_no_password_unless_asked) {
    const auto pc = document("virt-install-pc.xml");
    const auto shown = model::to_text(model::without_secrets(pc));
    EXPECT_EQ(shown.find("geheim"), std::string::npos);
    EXPECT_EQ(shown.find("passwdValidTo"), std::string::npos);
    EXPECT_NE(shown.find("<graphics type='vnc' socket='/run/old-server.vnc'>"), std::string::npos);
}

TEST(DomainDocuments, satisfy_libvirts_schema_as_we_write_them) {
    if (!std::filesystem::exists(libvirts_schema)) GTEST_SKIP() << "libvirt's schemas are not installed";
    for (const auto& file : golden::files(folder, ".xml")) {
        auto moved = model::domain_from(xml::parse(golden::read(file), file));
        model::set_uuid(moved, "2f7e19a1-5b14-4b0c-9f43-2ad7dba2a3e7");
        model::set_machine(moved, "pc-q35-7.2");
        model::set_disk_source(moved, moved.disks[0].target, "file", "/lab/overlay.qcow2", "qcow2");
        const auto faults = xml::validate(model::to_pretty_text(moved.document), "written", libvirts_schema);
        EXPECT_TRUE(faults.empty()) << file << ": " << faults.front().line << ": " << faults.front().reason;
    }
}

TEST(BadDomains, are_refused_with_element_and_line) {
    const auto with = [](const std::string& inside) {
        return refusal("<domain type='kvm'>\n<name>a</name>\n<memory>1</memory>\n" + inside + "\n</domain>");
    };
    const auto disks = [&](const std::string& inside) {
        return with("<devices>\n" + inside + "\n</devices>");
    };
    EXPECT_EQ(with(""), "accepted");
    EXPECT_EQ(refusal("<domain type='kvm'><memory>1</memory></domain>"),
              "XML error: line 1: <domain>: missing <name>");
    EXPECT_EQ(refusal("<domain><name>a</name></domain>"),
              "XML error: line 1: <domain>: missing domain type attribute");
    EXPECT_EQ(refusal("<domain type='kvm'>\n<name>a/b</name></domain>"),
              "XML error: line 2: <name>: invalid domain name 'a/b': name can't contain '/'");
    EXPECT_EQ(
        refusal("<domain type='kvm'>\n<name>a\nb</name></domain>"),
        "XML error: line 2: <name>: invalid domain name 'a\\x0ab': name can't contain control characters");
    EXPECT_NE(
        refusal("<domain type='kvm'>\n<name>" + std::string(300, 'x') + "</name></domain>").find("too long"),
        std::string::npos);
    EXPECT_NE(refusal("<domain type='kvm'>\n<name>x</name></domain>").find("no <memory>"), std::string::npos);
    EXPECT_EQ(with("<uuid>123</uuid>"), "XML error: line 4: <uuid>: malformed uuid '123'");
    EXPECT_EQ(with("<vcpu>0</vcpu>"), "XML error: line 4: <vcpu>: '0' is not a number of CPUs");
    EXPECT_EQ(disks("<disk/>"), "XML error: line 5: <disk>: missing target information for the disk");
    EXPECT_EQ(disks("<disk><target dev='vda'/></disk>\n<disk><target dev='vda'/></disk>"),
              "XML error: line 6: <disk>: target 'vda' duplicated");
    EXPECT_EQ(disks("<disk device='tape'/>"),
              "XML error: line 5: <disk>: Invalid value for attribute 'device' in element 'disk': 'tape'.");
    EXPECT_EQ(disks("<disk snapshot='perhaps'><target dev='vda'/></disk>"),
              "XML error: line 5: <disk>: unknown disk snapshot setting 'perhaps'");
}

TEST(MemorySizes, have_libvirts_units) {
    const auto size = [](const std::string& unit, const std::string& number) {
        const auto text =
            "<domain type='kvm'><name>a</name><memory" + unit + ">" + number + "</memory></domain>";
        return model::domain_from(xml::parse(text, "given.xml")).memory;
    };
    EXPECT_EQ(size("", "4"), 4096u);
    EXPECT_EQ(size(" unit='b'", "4096"), 4096u);
    EXPECT_EQ(size(" unit='bytes'", "4097"), 5120u);
    EXPECT_EQ(size(" unit='KB'", "1024"), 1'024'000u);
    EXPECT_EQ(size(" unit='k'", "1"), 1024u);
    EXPECT_EQ(size(" unit='KiB'", " 1 "), 1024u);
    EXPECT_EQ(size(" unit='MB'", "2048"), 2'048'000'000u);
    EXPECT_EQ(size(" unit='M'", "1"), 1ull << 20);
    EXPECT_EQ(size(" unit='MiB'", "1"), 1ull << 20);
    EXPECT_EQ(size(" unit='G'", "1"), 1ull << 30);
    EXPECT_EQ(size(" unit='GiB'", "3"), 3ull << 30);
    EXPECT_EQ(size(" unit='TiB'", "1"), 1ull << 40);
    EXPECT_EQ(size(" unit='T'", "1"), 1ull << 40);
    for (const char* bad : {"0", "-1", "x", "", "1.5", "99999999999999999999"})
        EXPECT_THROW(static_cast<void>(size("", bad)), Error) << bad;
    EXPECT_THROW(static_cast<void>(size(" unit='XB'", "1")), Error);
    EXPECT_THROW(static_cast<void>(size(" unit='TiB'", "9000000")), Error);
}
