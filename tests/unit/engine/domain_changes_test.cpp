// Who shares one DomainChanges with others hears of everything all the same, whoever took it from the kernel.
#include "engine/domain_changes.h"

#include "../os/scratch.h"
#include "engine/session.h"
#include "os/file.h"
#include "records.h"

#include <algorithm>
#include <domsnap/watch.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <thread>

namespace domsnap::engine {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

namespace {

constexpr const char* uuid = "29b925ff-4c44-44d7-b2ee-7a6023fa3fbb";

class SharedChanges : public ::testing::Test {
  protected:
    void SetUp() override {
        other.define(domain_without_disks);
        os::make_folders(runtime_files(folders, uuid).folder);
        EXPECT_TRUE(changes.watch_all());
        EXPECT_TRUE(changes.watch("g", uuid));
    }
    void something_happens() const { os::write_file(runtime_files(folders, uuid).reason(), "booted"); }
    /// How many queues of inotify's this process has open.
    static size_t queues() {
        const auto fds = os::list_folder("/proc/self/fd");
        return static_cast<size_t>(std::count_if(fds.begin(), fds.end(), [](const auto& fd) {
            std::error_code gone;
            return std::filesystem::read_symlink("/proc/self/fd/" + fd, gone) == "anon_inode:inotify";
        }));
    }

    Hasty hasty;
    Scratch scratch;
    Folders folders{.state = scratch / "state", .runtime = scratch / "run"};
    Host other{folders};
    DomainChanges changes{folders};
    DomainChanges::Reader one{changes}, two{changes};
};

} // namespace

TEST_F(SharedChanges, each_reader_hears_of_each_once) {
    something_happens();
    EXPECT_THAT(one.take().domains, ElementsAre("g"));
    EXPECT_THAT(one.take().domains, IsEmpty());
    something_happens();
    EXPECT_THAT(one.take().domains, ElementsAre("g"));
    EXPECT_THAT(two.take().domains, ElementsAre("g"));
    EXPECT_TRUE(two.take().none());
    EXPECT_TRUE(one.take().none());
    DomainChanges::Reader late(changes);
    EXPECT_TRUE(late.take().none());
}

TEST_F(SharedChanges, who_waits_hears_of_what_another_took) {
    something_happens();
    EXPECT_FALSE(two.take().none());
    one.wait(Deadline::never());
    EXPECT_THAT(one.take().domains, ElementsAre("g"));
    std::thread sleeper([&] { one.wait(Deadline::never()); });
    something_happens();
    EXPECT_FALSE(two.take().none());
    sleeper.join();
    EXPECT_THAT(one.take().domains, ElementsAre("g"));
}

TEST_F(SharedChanges, an_interrupted_one_never_waits_again) {
    one.interrupt();
    one.wait(Deadline::never());
    something_happens();
    EXPECT_FALSE(two.take().none());
    EXPECT_FALSE(one.take().none());
    one.wait(Deadline::never());
}

TEST_F(SharedChanges, one_who_knows_the_old_name_only_takes_nothing_from_the_others) {
    EXPECT_TRUE(changes.watch("new", uuid));
    EXPECT_TRUE(changes.watch("g", uuid));
    something_happens();
    EXPECT_THAT(one.take().domains, ElementsAre("g", "new"));
    EXPECT_TRUE(changes.watch_all()); // there is none of the new name
    something_happens();
    EXPECT_THAT(two.take().domains, ElementsAre("g", "new"));
    something_happens();
    EXPECT_THAT(two.take().domains, ElementsAre("g"));
}

TEST_F(SharedChanges, a_server_has_one_queue_for_its_states_and_its_events) {
    Host server(folders);
    const auto before = queues();
    server.keep_states();
    Watch watch(server);
    EXPECT_EQ(queues(), before + 1);
    EXPECT_EQ(server.list(true).size(), 1U);
    other.rename("g", "h");
    EXPECT_EQ(server.info("h").name, "h"); // takes it from the kernel
    const auto events = watch.next(20s);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.front().kind, DomainEvent::Kind::renamed);
    Watch alone(other);
    EXPECT_EQ(queues(), before + 2);
}

} // namespace domsnap::engine
