// What a revert in place rests on: drives that change, memory that is read and written from outside, device
// state that is loaded alone.
#include "guest.h"

#include "base/error.h"
#include "image/vm_state_file.h"
#include "memory/capture.h"
#include "os/file.h"
#include "os/mapping_flags.h"
#include "qmp/commands.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::qmp {
namespace {

constexpr const char* vda = "/machine/peripheral/vda/virtio-backend";
constexpr uint64_t a_page = 2 << 20; // of RAM that neither the firmware nor a device uses

/// Two overlays on one image: a, which the disk uses, and b.
class QmpInPlace : public Contract {
  protected:
    void SetUp() override {
        Contract::SetUp();
        if (IsSkipped()) return;
        const auto base = scratch.qcow2("base");
        const std::string on_base = R"("backing": "base")";
        guest.emplace(GetParam(), scratch,
                      blockdev("base", base, R"("read-only": true)") +
                          blockdev("a", scratch.overlay("a", base), on_base) +
                          blockdev("b", scratch.overlay("b", base), on_base) +
                          device("virtio-blk-pci,id=vda,drive=a") +
                          device("ide-hd,id=sda,drive=c,bus=ide.0") + blockdev("c", scratch.qcow2("c")));
        qemu.emplace(guest->connect());
    }
    std::string refused(const std::string& object, const std::string& node) {
        return message_of([&] { set_drive(*qemu, object, node, soon()); });
    }
    std::string drive(const std::string& device) { return query_device_nodes(*qemu, soon()).at(device); }
    std::string memory_at(uint64_t offset, size_t size) {
        std::string bytes(size, '\0');
        os::ForeignMemory(guest->process()).read(ram_address(*qemu, soon()) + offset, bytes.data(), size);
        return bytes;
    }
    void poke(uint64_t offset, const std::string& bytes) {
        os::ForeignMemory(guest->process())
            .write(ram_address(*qemu, soon()) + offset, bytes.data(), bytes.size());
    }
    memory::ImageReader save(const std::string& name) {
        const auto stream = os::create_exclusive(scratch.path(name + ".stream"));
        give_fd(*qemu, "stream", stream.get(), soon());
        set_migration_bandwidth_unlimited(*qemu, soon());
        migrate_to_fd(*qemu, "stream", soon());
        while (query_migrate(*qemu, soon()).status != "completed") // the file takes all, so it will come
            qemu->wait_event([](const Event&) { return false; },
                             Deadline::after(std::chrono::milliseconds(20)));
        const auto image = os::create_exclusive(scratch.path(name));
        const auto saved = memory::capture_stream(os::open_read(scratch.path(name + ".stream")).get(), image,
                                                  scratch.path(name), {}, {});
        EXPECT_TRUE(saved.complete) << saved.error;
        return memory::ImageReader::open(scratch.path(name));
    }
    /// What a revert loads: the devices' state and nothing of RAM.
    void open_state(const memory::ImageReader& image) {
        image::write_vm_state_file(scratch.path("state"), "domsnap", memory::device_stream(image));
        blockdev_add(*qemu,
                     {{"driver", "qcow2"},
                      {"node-name", "state"},
                      {"file", {{"driver", "file"}, {"filename", scratch.path("state")}}}},
                     soon());
    }
    void load_state() {
        snapshot_load(*qemu, "load", "domsnap", "state", {"state"}, soon());
        finish_job(*qemu, "load", {}, {}, soon());
    }
    std::optional<Guest> guest;
    std::optional<Client> qemu;
};

TEST_P(QmpInPlace, ADiskGoesOverToAnotherImage) {
    for (const bool runs : {false, true}) {
        if (runs) cont(*qemu, soon());
        set_drive(*qemu, vda, "b", soon());
        EXPECT_EQ(drive("vda"), "b");
        set_drive(*qemu, vda, "a", soon());
        EXPECT_EQ(drive("vda"), "a");
    }
    set_drive(*qemu, vda, "b", soon());
    blockdev_del(*qemu, "a", soon());
    EXPECT_EQ(message_of([&] { blockdev_del(*qemu, "b", soon()); }),
              "QEMU refused 'blockdev-del': Node b is in use");
    EXPECT_EQ(drive("sda"), "c");
}

TEST_P(QmpInPlace, ADriveThatCannotChangeStaysAsItIs) {
    EXPECT_EQ(refused("/machine/peripheral/vdz", "b"),
              "QEMU refused 'qom-set': Device '/machine/peripheral/vdz' not found (DeviceNotFound)");
    EXPECT_EQ(refused(vda, "none"), "QEMU refused 'qom-set': Cannot find device='' nor node-name='none'");
    EXPECT_EQ(refused(vda, "base"), "QEMU refused 'qom-set': Block node is read-only");
    const auto in_use = refused(vda, "c"); // by another disk
    EXPECT_TRUE(in_use.starts_with("QEMU refused 'qom-set': Permission conflict on node 'c': permissions "
                                   "'write' are both required by "))
        << in_use;
    EXPECT_EQ(drive("vda"), "a");
}

TEST_P(QmpInPlace, ItsMemoryIsReadAndWrittenFromOutside) {
    const auto address = ram_address(*qemu, soon());
    const auto mapping = os::ForeignMemory(guest->process()).mapping_of(address, 64 << 20);
    ASSERT_TRUE(mapping);
    EXPECT_TRUE(mapping->writable && !mapping->shared);
    EXPECT_EQ(mapping->inode, 0u);
    poke(a_page, "from outside");
    EXPECT_EQ(memory_at(a_page, 12), "from outside");
    const auto image = save("saved"); // QEMU sees it too
    std::string page(memory::page_size, '\0');
    for (size_t block = 0; block < image.blocks().size(); ++block)
        if (image.blocks()[block].offset == 0)
            image.read_pages(block, a_page / memory::page_size, 1, page.data());
    EXPECT_EQ(page.substr(0, 12), "from outside");
}

TEST_P(QmpInPlace, DeviceStateIsLoadedAndMemoryLeftAlone) {
    cont(*qemu, soon());
    stop(*qemu, soon());
    open_state(save("saved"));
    poke(a_page, "not in it");
    for (int times = 0; times < 2; ++times) {
        load_state();
        EXPECT_EQ(query_status(*qemu, soon()).status, times == 0 ? "postmigrate" : "paused");
        EXPECT_EQ(memory_at(a_page, 9), "not in it");
        cont(*qemu, soon());
        EXPECT_TRUE(query_status(*qemu, soon()).running);
        stop(*qemu, soon());
    }
    EXPECT_EQ(drive("vda"), "a");
}

/// As domsnap finds them: by QEMU's word where it says where they lie, and by its mappings.
TEST_P(QmpInPlace, BlocksOfRamAreListedAndMappedEachByItself) {
    const auto blocks = query_ram_blocks(*qemu, soon());
    ASSERT_GE(blocks.size(), 2U) << "the firmware is one";
    const auto kept = os::mappings_with_flag(guest->process(), os::not_for_children);
    EXPECT_EQ(kept.size(), blocks.size());
    for (const auto& block : blocks) {
        EXPECT_LE(block.used, block.most);
        const auto has_size = [&](const os::AddressRange& range) { return range.size == block.most; };
        EXPECT_TRUE(std::any_of(kept.begin(), kept.end(), has_size)) << block.name;
        const auto begins = [&](const os::AddressRange& range) { return range.start == block.address; };
        EXPECT_TRUE(block.address == 0 || std::any_of(kept.begin(), kept.end(), begins)) << block.name;
    }
    const auto is_main = [&](const RamBlock& block) { return block.name == "pc.ram"; };
    const auto main = std::find_if(blocks.begin(), blocks.end(), is_main);
    ASSERT_NE(main, blocks.end());
    EXPECT_TRUE(main->address == 0 || main->address == ram_address(*qemu, soon()));
}

INSTANTIATE_TEST_SUITE_P(Qemu, QmpInPlace, ::testing::ValuesIn(all_kinds()), name_of);

} // namespace
} // namespace domsnap::qmp
