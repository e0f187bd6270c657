// VM states that a real QEMU saved, read out of its file and given to another QEMU.
#include "../memory/images.h"
#include "../qmp/guest.h"
#include "image/qemu_img.h"
#include "image/vm_state.h"
#include "memory/stream.h"
#include "qmp/commands.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace domsnap {
namespace {

using qmp::soon, qmp::operator+;

constexpr uint64_t ram = uint64_t{64} << 20;

class VmStateOfQemu : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        if (kind.program.empty()) GTEST_SKIP() << "no QEMU: neither $DOMSNAP_QEMU nor qemu-system-x86_64";
    }
    /// A new image with those options of its format.
    std::string image(const std::string& name, const std::string& options) {
        const std::string path = scratch / name;
        qmp::must_run({image::program(), "create", "-q", "-f", "qcow2", "-o", options, path, "16M"});
        return path;
    }
    void start(const std::string& disk) {
        std::string pattern;
        for (size_t i = 0; i < 4 << 20; ++i)
            pattern += static_cast<char>(i * i / 4096 % 251);
        os::write_file(scratch / "pattern", pattern);
        const auto loader = qmp::device("loader,force-raw=on,addr=0x1000000,file=" + scratch / "pattern");
        machine.emplace(kind, monitors, bare + qmp::blockdev("disk", disk) + loader);
        qemu.emplace(machine->connect());
        ASSERT_TRUE(memory_of(*qemu).substr(0x1000000, pattern.size()) == pattern);
    }
    void save(const std::string& tag) {
        qmp::snapshot_save(*qemu, "save", tag, "disk", {"disk"}, soon());
        qmp::finish_job(*qemu, "save", {}, {}, soon());
    }
    void disk_is_written(const std::string& what) {
        qmp::human_command(*qemu, "qemu-io disk \"" + what + "\"", soon());
    }
    std::string memory_of(qmp::Client& client) {
        client.run("pmemsave", {{"val", 0}, {"size", ram}, {"filename", scratch / "memory"}}, soon());
        return memory::content_of(scratch / "memory");
    }
    /// Lets the firmware run until it has changed the memory.
    void run_for_a_while() {
        const std::string before = memory_of(*qemu);
        const Deadline deadline = soon();
        qmp::cont(*qemu, soon());
        while (memory_of(*qemu) == before)
            if (deadline.passed()) throw std::runtime_error("the firmware does nothing");
        qmp::stop(*qemu, soon());
    }
    std::string state_of(const std::string& disk, const std::string& tag) {
        const std::string path = scratch / "state-" + tag;
        image::write_vm_state(disk, tag, os::create_exclusive(path).get(), {});
        return memory::content_of(path);
    }
    void expect_comes_in(const std::string& disk, const std::string& tag,
                         const std::string& expected_memory) {
        qmp::Guest other(kind, monitors, bare + std::vector<std::string>{"-incoming", "defer"});
        qmp::Client client = other.connect();
        auto [in, out] = os::make_pipe();
        qmp::give_fd(client, "stream", in.get(), soon());
        qmp::migrate_incoming_fd(client, "stream", soon());
        in.reset();
        image::write_vm_state(disk, tag, out.get(), {});
        out.reset();
        const Deadline deadline = soon();
        while (qmp::query_status(client, deadline).status == "inmigrate")
            if (deadline.passed()) throw std::runtime_error("the state does not come in: " + other.words());
        EXPECT_TRUE(memory_of(client) == expected_memory) << tag;
    }

    const qmp::Kind kind = qmp::all_kinds().front();
    const std::vector<std::string> bare = {
        "-machine", "q35,memory-backend=pc.ram",
        "-object",  "memory-backend-ram,id=pc.ram,size=" + std::to_string(ram),
        "-device",  "VGA"};
    Scratch scratch;
    qmp::Scratch monitors;
    std::optional<qmp::Guest> machine;
    std::optional<qmp::Client> qemu;
};

/// The stream is one to its last byte, and its RAM is that memory.
void expect_stream_of(const std::string& stream, const std::string& expected, const std::string& image_path) {
    memory::TextSource source(stream);
    memory::StreamParser parser(source);
    while (parser.next() != memory::StreamParser::Event::end) {
    }
    EXPECT_EQ(parser.bytes(), stream.size());
    const auto image = memory::image_of(stream, image_path);
    EXPECT_EQ(image.identity().ram_size, ram);
    // Where the firmware and the VGA's window lie, a physical address is not RAM.
    const std::string captured = memory::content_of(image_path);
    constexpr uint64_t low = 0xa0000, high = 0x100000;
    EXPECT_TRUE(captured.substr(0, low) == expected.substr(0, low));
    EXPECT_TRUE(captured.substr(high, ram - high) == expected.substr(high));
}

TEST_P(VmStateOfQemu, IsAMigrationStreamThatAnotherQemuTakes) {
    const std::string disk = image("disk", GetParam());
    start(disk);
    const std::string first = memory_of(*qemu);
    save("first");
    run_for_a_while();
    disk_is_written("write -P 7 0 4M"); // beside the VM state, and after it
    const std::string second = memory_of(*qemu);
    ASSERT_TRUE(first != second);
    save("second");
    // QEMU is alive and has its locks on the file.
    expect_stream_of(state_of(disk, "first"), first, scratch / "first");
    expect_stream_of(state_of(disk, "second"), second, scratch / "second");
    disk_is_written("write -P 8 0 8M");
    qmp::quit(*qemu, soon());
    expect_comes_in(disk, "first", first);
    expect_comes_in(disk, "second", second);
    for (const auto& snapshot : image::info(disk, "qcow2").snapshots)
        EXPECT_EQ(snapshot.vm_state_size, image::vm_state_size(disk, snapshot.tag));
}

std::string name_of(const testing::TestParamInfo<std::string>& info) {
    std::string name = info.param;
    std::erase_if(name, [](unsigned char c) { return !std::isalnum(c); });
    return name;
}

INSTANTIATE_TEST_SUITE_P(Format, VmStateOfQemu,
                         testing::Values("cluster_size=512", "cluster_size=64k", "cluster_size=2M",
                                         "compat=0.10,cluster_size=4k", "extended_l2=on,cluster_size=16k"),
                         name_of);

class InOddPlaces : public VmStateOfQemu {};

TEST_F(InOddPlaces, IsReadOutOfAnOverlay) {
    const std::string overlay = scratch / "overlay", base = image("base", "cluster_size=64k");
    qmp::write_image(base, "write -P 1 0 16M");
    image::create_overlay(overlay, base, "qcow2", 0);
    start(overlay);
    save("tag");
    qmp::quit(*qemu, soon());
    const std::string stream = state_of(overlay, "tag");
    EXPECT_EQ(stream.substr(0, 4), "QEVM");
    memory::image_of(stream, scratch / "memory-image");
    error_of(ErrorCode::not_found, [&] { image::vm_state_size(base, "tag"); });
}

TEST_F(InOddPlaces, IsFoundAfterTheDiskHasGrown) {
    const std::string disk = image("disk", "cluster_size=512");
    start(disk);
    save("tag");
    const std::string before = state_of(disk, "tag");
    qemu->run("block_resize", {{"node-name", "disk"}, {"size", 24 << 20}}, soon());
    save("after");
    qmp::quit(*qemu, soon());
    os::remove_file_durably(scratch / "state-tag");
    EXPECT_TRUE(state_of(disk, "tag") == before);
    EXPECT_EQ(image::vm_state_size(disk, "after"), state_of(disk, "after").size());
    memory::image_of(memory::content_of(scratch / "state-after"), scratch / "memory-image");
}

TEST_F(InOddPlaces, IsGoneWithItsSnapshotAndEmptyWithoutOne) {
    const std::string disk = image("disk", "cluster_size=64k");
    image::snapshot_create(disk, "disk-only");
    start(disk);
    save("tag");
    qmp::snapshot_delete(*qemu, "delete", "tag", {"disk"}, soon());
    qmp::finish_job(*qemu, "delete", {}, {}, soon());
    qmp::quit(*qemu, soon());
    error_of(ErrorCode::not_found, [&] { image::vm_state_size(disk, "tag"); });
    EXPECT_EQ(image::vm_state_size(disk, "disk-only"), 0U);
    EXPECT_EQ(state_of(disk, "disk-only"), "");
}

} // namespace
} // namespace domsnap
