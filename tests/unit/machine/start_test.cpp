// A domain's QEMU, really started, found, talked to and ended.
#include "emulator.h"
#include "os/process.h"
#include "os/socket.h"
#include "qmp/commands.h"

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

namespace domsnap::machine::test {
namespace {

constexpr const char* uuid = "11111111-2222-3333-4444-555555555555";

class Start : public RealQemu {
  protected:
    void SetUp() override {
        RealQemu::SetUp();
        files.folder = scratch / uuid;
    }
    void TearDown() override {
        if (const auto left = find(files)) end(files, *left, soon());
    }
    static model::Domain guest(const std::string& devices = "", const std::string& beside = "") {
        return domain_of(
            document(devices, fmt::format("<uuid>{}</uuid><features><acpi/></features>", uuid) + beside));
    }
    Started started(const model::Domain& domain) { return start(domain, facts(), files, soon()); }
    std::string disk(const std::string& name) {
        const auto path = scratch / name;
        os::write_at(os::create_exclusive(path).get(), "", 1, (1 << 20) - 1, path);
        return path;
    }
    static std::string virtio_disk(const std::string& path, const std::string& driver = "type='raw'") {
        return fmt::format("<disk type='file'><driver {}/><source file='{}'/><target dev='vda'/></disk>",
                           driver, path);
    }
    RuntimeFiles files;
};

TEST_F(Start, RunsIsFoundAnswersAndEnds) {
    EXPECT_FALSE(find(files));
    {
        auto running = started(guest());
        EXPECT_EQ(qmp::query_uuid(running.monitor, soon()), uuid);
        EXPECT_EQ(qmp::query_status(running.monitor, soon()).status, "prelaunch");
        EXPECT_EQ(find(files), running.process);
        EXPECT_EQ(os::file_info(files.log())->mode, 0600U);
        EXPECT_EQ(os::file_info(files.folder)->mode, 0700U);
        qmp::cont(running.monitor, soon());
    }
    const auto found = find(files);
    ASSERT_TRUE(found);
    auto monitor = connect(files, *found, uuid, soon());
    EXPECT_TRUE(qmp::query_status(monitor, soon()).running);
    auto watch = qmp::Client::connect(files.watch(), soon());
    EXPECT_EQ(qmp::query_uuid(watch, soon()), uuid);
    end(files, *found, soon());
    EXPECT_FALSE(os::is_alive(*found));
    EXPECT_FALSE(find(files));
    EXPECT_FALSE(os::exists(files.pid()) || os::exists(files.monitor()) || os::exists(files.watch()));
    EXPECT_TRUE(os::exists(files.log()));
}

TEST_F(Start, CanBeStartedAgainAfterAnyEnd) {
    for (const int signal : {0, SIGKILL, SIGTERM}) {
        const auto process = started(guest()).process;
        if (signal == 0) end(files, process, soon());
        if (signal != 0) os::signal_process(process, signal);
        ASSERT_TRUE(os::wait_until_gone(process, soon()));
        os::poll_exit(process);
        EXPECT_FALSE(find(files));
        EXPECT_EQ(exit_reason(files), signal == SIGKILL ? "crashed" : "destroyed");
    }
}

TEST_F(Start, ASecondOneIsRefusedWhileTheFirstRuns) {
    const auto process = started(guest()).process;
    error_of(ErrorCode::conflict, [&] { started(guest()); });
    EXPECT_EQ(find(files), process);
}

TEST_F(Start, QemuThatDiesAtOnceSaysWhy) {
    const auto missing = scratch / "no, such.raw";
    const auto error = error_of(ErrorCode::refused_by_qemu, [&] { started(guest(virtio_disk(missing))); });
    EXPECT_NE(std::string(error.what()).find(missing), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("No such file"), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find("qemu-system"), std::string::npos)
        << "the program's prefix was left in";
    EXPECT_FALSE(os::exists(files.pid()) || os::exists(files.monitor()));
    EXPECT_FALSE(find(files));
}

TEST_F(Start, AMissingEmulatorIsNotFoundAndNothingIsLeft) {
    auto known = facts();
    known.emulator = scratch / "no-qemu";
    error_of(ErrorCode::not_found, [&] { start(guest(), known, files, soon()); });
    EXPECT_FALSE(os::exists(files.pid()) || os::exists(files.monitor()));
}

TEST_F(Start, AMonitorThatAnotherClientHoldsIsBusy) {
    auto running = started(guest());
    const auto error = error_of(ErrorCode::busy, [&] {
        connect(files, running.process, uuid, Deadline::after(std::chrono::milliseconds(300)));
    });
    EXPECT_NE(error.hint(), "");
}

TEST_F(Start, AnotherUuidIsAConflict) {
    const auto process = started(guest()).process;
    const auto other = "99999999-2222-3333-4444-555555555555";
    error_of(ErrorCode::conflict, [&] { connect(files, process, other, soon()); });
}

TEST_F(Start, AMonitorOfAnotherProcessIsAConflict) {
    const auto process = started(guest()).process;
    os::remove_file_durably(files.monitor());
    error_of(ErrorCode::conflict, [&] { connect(files, process, uuid, soon()); });
    const auto mine = os::bind_unix(files.monitor());
    ::listen(mine.get(), 1);
    error_of(ErrorCode::conflict, [&] { connect(files, process, uuid, soon()); });
}

TEST_F(Start, IsFoundByItsSocketWhenThePidFileWasNeverWritten) {
    const auto process = started(guest()).process;
    os::remove_file_durably(files.pid());
    EXPECT_EQ(find(files), process);
    EXPECT_TRUE(os::exists(files.pid()));
}

TEST_F(Start, LongRuntimePathsWork) {
    files.folder = scratch.path() + "/" + std::string(150, 'r') + "/" + uuid;
    const auto running =
        started(guest("<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
                      "<graphics type='vnc'><listen type='socket'/></graphics>"));
    EXPECT_EQ(os::peer_pid(os::connect_unix(files.folder + "/org.qemu.guest_agent.0.sock")),
              running.process.pid);
    EXPECT_EQ(os::peer_pid(os::connect_unix(files.folder + "/vnc.sock")), running.process.pid);
    EXPECT_EQ(find(files), running.process);
}

TEST_F(Start, ASocketInUseAndAFileInItsPlaceAreLeftAlone) {
    const auto path = scratch / "console.sock";
    const auto console = fmt::format("<serial type='unix'><source mode='bind' path='{}'/></serial>", path);
    {
        const auto other = os::bind_unix(path);
        ::listen(other.get(), 1);
        error_of(ErrorCode::conflict, [&] { started(guest(console)); });
    }
    { // nobody listens any more: a stale socket, which goes
        const auto process = started(guest(console)).process;
        end(files, process, soon());
    }
    os::remove_file_durably(path);
    os::write_file(path, "precious");
    error_of(ErrorCode::conflict, [&] { started(guest(console)); });
    EXPECT_EQ(os::read_file(path, 100), "precious");
}

TEST_F(Start, WaitsForAStreamWhenItIsToldTo) {
    auto known = facts();
    known.incoming = true;
    auto running = start(guest(), known, files, soon());
    EXPECT_EQ(qmp::query_status(running.monitor, soon()).status, "inmigrate");
}

TEST_F(Start, QemuWritesItsEventsByItself) {
    const auto process = started(guest()).process;
    {
        auto monitor = connect(files, process, uuid, soon());
        qmp::cont(monitor, soon());
        qmp::stop(monitor, soon());
    }
    end(files, process, soon());
    const auto events = os::read_file(files.events(), 1 << 20);
    for (const auto* name : {"RESUME", "STOP", "SHUTDOWN"})
        EXPECT_NE(events.find(fmt::format("\"event\": \"{}\"", name)), std::string::npos) << events;
    EXPECT_EQ(exit_reason(files), "destroyed");
}

TEST_F(Start, ABackingImageCanBeCommittedInto) {
    if (os::find_program("qemu-img").empty()) GTEST_SKIP() << "no qemu-img";
    const auto base = disk("base.raw"), top = scratch / "top.qcow2";
    os::run({"qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", top}, {});
    auto known = facts();
    known.chains["vda"] = {{top, "qcow2"}, {base, "raw"}};
    auto running = start(guest(virtio_disk(top, "type='qcow2'")), known, files, soon());
    for (const auto& node : qmp::query_named_block_nodes(running.monitor, soon())) {
        EXPECT_TRUE(node.node_name != "vda-0" || node.read_only) << "the backing image is open for writing";
    }
    qmp::block_commit(running.monitor, "job", "vda-1", "vda-1", "vda-0", "", soon());
    qmp::finish_job(running.monitor, "job", {}, {}, soon());
    const auto nodes = qmp::query_device_nodes(running.monitor, soon());
    EXPECT_TRUE(
        std::any_of(nodes.begin(), nodes.end(), [](const auto& node) { return node.second == "vda-0"; }));
}

TEST_F(Start, ATrialTouchesNothingOfARunningGuest) {
    const auto domain = guest(virtio_disk(disk("disk.raw")));
    const auto process = started(domain).process;
    auto known = facts();
    known.virtual_sizes["vda"] = 1 << 20;
    EXPECT_NO_THROW(try_out(domain, known, scratch / "trial", soon()));
    EXPECT_EQ(find(files), process);
    EXPECT_TRUE(os::list_folder(scratch / "trial").empty());
}

TEST_F(Start, ATrialSaysWhatQemuDoesNotAccept) {
    const auto domain = guest("", "<cpu mode='custom'><model>NoSuchModel</model></cpu>");
    const auto error =
        error_of(ErrorCode::refused_by_qemu, [&] { try_out(domain, facts(), scratch / "trial", soon()); });
    EXPECT_NE(std::string(error.what()).find("NoSuchModel"), std::string::npos) << error.what();
    EXPECT_TRUE(os::list_folder(scratch / "trial").empty());
}

} // namespace
} // namespace domsnap::machine::test
