// A change is there to be taken as soon as the call that made it has returned.
#include "os/change_watch.h"

#include "base/text.h"
#include "scratch.h"

#include <csignal>
#include <cstdio>
#include <gmock/gmock.h>
#include <set>
#include <thread>

namespace domsnap::os {

using ::testing::Contains;
using ::testing::Not;
using namespace std::chrono_literals;

namespace {

std::set<std::string> names_in(const Changes& changes, const std::string& folder) {
    std::set<std::string> names;
    for (const auto& file : changes.files)
        if (file.folder == folder) names.insert(file.name);
    return names;
}

ProcessId sleeper() {
    return start_background(
        {.argv = {"/bin/sleep", "1000"}, .log_path = {}, .passed = {}, .in_child = {}, .environment = {}});
}

void end(const ProcessId& process) {
    signal_process(process, SIGKILL);
    ASSERT_TRUE(wait_until_gone(process, Deadline::after(20s)));
}

class ChangesOf : public ::testing::Test {
  protected:
    Scratch scratch;
    std::string folder = scratch / "folder";
    ChangeWatch watch;

    void SetUp() override {
        make_folders(folder);
        ASSERT_TRUE(watch.add(folder));
    }
};

} // namespace

TEST_F(ChangesOf, files_are_there_at_once) {
    EXPECT_TRUE(watch.take().none());
    write_file(folder + "/one", "1");
    EXPECT_THAT(names_in(watch.take(), folder), Contains("one"));
    EXPECT_TRUE(watch.take().none());
    write_all(open_read_write(folder + "/one").get(), "22", 2, "one");
    EXPECT_THAT(names_in(watch.take(), folder), Contains("one"));
    remove_file_durably(folder + "/one");
    EXPECT_THAT(names_in(watch.take(), folder), Contains("one"));
}

TEST_F(ChangesOf, a_folder_itself_has_no_name) {
    rename_durably(folder, scratch / "elsewhere");
    EXPECT_THAT(names_in(watch.take(), folder), Contains(""));
    EXPECT_FALSE(watch.add(folder));
    make_folders(folder);
    EXPECT_TRUE(watch.add(folder));
    write_file(folder + "/one", "1");
    EXPECT_THAT(names_in(watch.take(), folder), Contains("one"));
    remove_tree(folder);
    EXPECT_THAT(names_in(watch.take(), folder), Contains(""));
}

TEST_F(ChangesOf, folders_are_told_apart) {
    const std::string other = scratch / "other";
    make_folders(other);
    ASSERT_TRUE(watch.add(other));
    write_file(other + "/two", "2");
    const auto changes = watch.take();
    EXPECT_THAT(names_in(changes, other), Contains("two"));
    EXPECT_THAT(names_in(changes, folder), Not(Contains("two")));
}

TEST_F(ChangesOf, processes_that_ended_are_told_once) {
    const auto one = sleeper(), other = sleeper();
    ASSERT_TRUE(watch.add(one));
    ASSERT_TRUE(watch.add(one));
    ASSERT_TRUE(watch.add(other));
    EXPECT_TRUE(watch.take().none());
    end(one);
    EXPECT_EQ(watch.take().ended, std::vector{one});
    EXPECT_TRUE(watch.take().none());
    EXPECT_FALSE(watch.add(one));
    end(other);
    EXPECT_EQ(watch.take().ended, std::vector{other});
    poll_exit(one);
    poll_exit(other);
}

TEST_F(ChangesOf, many_at_once_are_said_to_be_lost) {
    const auto limit =
        text::to_u64(text::trim(read_file_start("/proc/sys/fs/inotify/max_queued_events", 64))).value();
    const std::string a = folder + "/a", b = folder + "/b";
    create_exclusive(a);
    for (uint64_t i = 0; i <= limit; ++i) // two notes each, and no two that are alike follow each other
        ASSERT_EQ(std::rename(i % 2 ? b.c_str() : a.c_str(), i % 2 ? a.c_str() : b.c_str()), 0);
    EXPECT_TRUE(watch.take().lost);
    EXPECT_TRUE(watch.take().none());
}

TEST_F(ChangesOf, waiting_ends) {
    const Wake wake;
    watch.wait(Deadline::after(1ms), wake);
    EXPECT_TRUE(watch.take().none());
    write_file(folder + "/one", "1");
    watch.wait(Deadline::never(), wake);
    watch.wait(Deadline::never(), wake); // it is still there to be taken
    EXPECT_FALSE(watch.take().none());
    std::thread other([&] { wake.set(); });
    watch.wait(Deadline::never(), wake);
    other.join();
    watch.wait(Deadline::never(), wake);
    wake.clear();
    watch.wait(Deadline::after(1ms), wake);
    EXPECT_TRUE(watch.take().none());
}

} // namespace domsnap::os
