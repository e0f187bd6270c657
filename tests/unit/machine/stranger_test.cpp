// Pid files that lie: a stranger is never taken for QEMU, and never signalled.
#include "../os/scratch.h"
#include "machine/process.h"

#include <csignal>

namespace domsnap::machine {
namespace {

class Stranger : public testing::Test {
  protected:
    void SetUp() override {
        files.folder = scratch / "11111111-2222-3333-4444-555555555555";
        os::make_folders(files.folder);
        stranger = os::start_background(
            {.argv = {"sleep", "300"}, .log_path = "", .passed = {}, .in_child = {}, .environment = {}});
    }
    void TearDown() override {
        EXPECT_TRUE(os::is_alive(stranger)) << "the stranger was signalled";
        os::signal_process(stranger, SIGKILL);
        os::wait_until_gone(stranger, Deadline::after(std::chrono::seconds(10)));
        os::poll_exit(stranger);
    }
    Scratch scratch;
    RuntimeFiles files;
    os::ProcessId stranger;
};

TEST_F(Stranger, WithAnotherStartTimeIsNotFound) {
    auto earlier = stranger;
    --earlier.start_ticks;
    os::write_file(files.pid(), os::to_text(earlier));
    EXPECT_FALSE(find(files));
    EXPECT_TRUE(os::exists(files.pid())) << "stale files are left alone";
}

TEST_F(Stranger, WithTheVeryStartTimeIsNotFoundEither) {
    os::write_file(files.pid(), os::to_text(stranger));
    EXPECT_FALSE(find(files));
}

TEST_F(Stranger, IsNotSignalledByEndWithAStaleIdentity) {
    auto earlier = stranger;
    --earlier.start_ticks;
    EXPECT_NO_THROW(end(files, earlier, Deadline::after(std::chrono::seconds(5))));
}

TEST_F(Stranger, PidFilesWithoutSenseAreNoProcess) {
    for (const auto* text : {"", "\n", "1", "-1 -1", "abc def", "99999999999 1", "1 2 3"}) {
        os::write_file(files.pid(), text);
        EXPECT_FALSE(find(files)) << text;
    }
}

} // namespace
} // namespace domsnap::machine
