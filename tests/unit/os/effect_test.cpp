// Whoever watches the effects sees each of them, and can make it fail.
#include "os/effect.h"

#include "os/file.h"
#include "os/lock.h"
#include "scratch.h"

#include <algorithm>
#include <domsnap/error.h>
#include <vector>

namespace domsnap::os {
namespace {

class Watch : public EffectWatcher {
  public:
    Watch() { effect_watcher = this; }
    ~Watch() override { effect_watcher = nullptr; }
    int before(const Effect& effect) override {
        kinds.push_back(effect.kind);
        return effect.kind == fails ? error : 0;
    }
    void after(const Effect&) override { ++done; }
    std::vector<Effect::Kind> kinds;
    unsigned done = 0;
    Effect::Kind fails = Effect::Kind::signal;
    int error = 0;
};

TEST(EffectTest, ADurableWriteIsSixEffects) {
    const Scratch scratch;
    const Watch watch;
    write_file_durably(scratch / "f", "content");
    using Kind = Effect::Kind;
    EXPECT_EQ(watch.kinds, (std::vector{Kind::make_file, Kind::set_mode, Kind::write, Kind::sync,
                                        Kind::rename, Kind::sync_folder}));
    EXPECT_EQ(watch.done, 6u);
}

TEST(EffectTest, ALockThatCannotBeSignedIsHeld) {
    const Scratch scratch;
    Watch watch;
    watch.fails = Effect::Kind::write;
    watch.error = ENOSPC;
    EXPECT_TRUE(FileLock::try_take(scratch / "lock", LockMode::exclusive, "who"));
    EXPECT_EQ(watch.kinds, (std::vector{Effect::Kind::make_file, Effect::Kind::set_mode, Effect::Kind::resize,
                                        Effect::Kind::write}));
}

TEST(EffectTest, AFullDiskLeavesTheOldContentAndNothingElse) {
    const Scratch scratch;
    write_file_durably(scratch / "f", "old");
    {
        Watch watch;
        watch.fails = Effect::Kind::write;
        watch.error = ENOSPC;
        EXPECT_THROW(write_file_durably(scratch / "f", "new"), Error);
    }
    EXPECT_EQ(read_file(scratch / "f", 100), "old");
    EXPECT_EQ(list_folder(scratch.path()), std::vector<std::string>{"f"});
}

} // namespace
} // namespace domsnap::os
