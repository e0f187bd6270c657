// The runner against a world that breaks: at every effect, before and after it, and again at every effect of
// the recovery. The world is the old one or the new one afterwards, and no journal is left.
#include "engine/runner.h"

#include "base/error.h"
#include "os/file.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <optional>

namespace domsnap::engine {

namespace {

struct Crash {}; ///< the process died: nothing of it runs any more

/// Steps are files that exist or not. Each step makes its file in two effects (half, whole), so that a crash
/// between them leaves a half.
class FileWorld : public World {
  public:
    std::map<std::string, std::string>& files;
    int effects_left; ///< the crash or failure comes when it reaches 0; negative: never
    bool fail_instead = false;
    bool capture_is_lost = false;
    unsigned effects = 0;

    FileWorld(std::map<std::string, std::string>& state, int left) : files(state), effects_left(left) {}

    void apply(const plan::Action& action) override {
        const auto key = key_of(action);
        if (capture_is_lost && std::holds_alternative<plan::AwaitCapture>(action))
            throw Error(ErrorCode::corrupt, "torn");
        if (const auto* overlay = std::get_if<plan::MakeOverlay>(&action);
            overlay && overlay->backing == "foreign")
            throw Error(ErrorCode::conflict, "exists");
        effect([&] { files[key] = "half"; });
        effect([&] { files[key] = "whole"; });
    }
    void undo(const plan::Action& action) override {
        const auto key = key_of(action);
        effect([&] {
            if (files.contains(key)) files[key] = "half";
        });
        effect([&] { files.erase(key); });
    }

  private:
    static std::string key_of(const plan::Action& action) {
        if (const auto* overlay = std::get_if<plan::MakeOverlay>(&action)) return overlay->path;
        if (const auto* record = std::get_if<plan::PutRecord>(&action)) return "record " + record->name;
        if (const auto* await = std::get_if<plan::AwaitCapture>(&action)) return "awaited " + await->image;
        if (const auto* end = std::get_if<plan::EndGuest>(&action)) return "ended " + end->reason;
        if (const auto* remove = std::get_if<plan::RemoveFile>(&action)) return "removed " + remove->path;
        if (std::holds_alternative<plan::PutLive>(action)) return "live";
        return "?";
    }
    template <class Effect>
    void effect(const Effect& change) {
        ++effects;
        strike();
        change();
        strike();
    }
    void strike() {
        if (effects_left < 0 || effects_left-- > 0) return;
        if (!fail_instead) throw Crash{};
        throw Error(ErrorCode::io, "No space left on device");
    }
};

plan::Plan undoable_plan() {
    plan::Plan plan;
    plan.operation = "snapshot-create";
    plan.snapshot = "s";
    plan.steps = {plan::MakeOverlay{"a", "", "", 0}, plan::MakeOverlay{"b", "", "", 0},
                  plan::PutRecord{"s", "x", ""}, plan::PutRecord{"t", "x", ""}};
    plan.point_of_no_return = 2;
    plan.clean_up = 4;
    return plan;
}

/// As a revert: the point of no return cannot be taken back.
plan::Plan final_plan() {
    plan::Plan plan = undoable_plan();
    plan.steps = {plan::MakeOverlay{"a", "", "", 0}, plan::EndGuest{"x"}, plan::PutRecord{"s", "x", ""}};
    plan.point_of_no_return = 1;
    plan.clean_up = 3;
    return plan;
}

/// As a create with memory: the capture goes on without the process that waits for it.
plan::Plan waiting_plan() {
    plan::Plan plan = undoable_plan();
    plan.steps = {plan::MakeOverlay{"a", "", "", 0}, plan::AwaitCapture{"m", true}, plan::PutLive{"x", ""},
                  plan::PutRecord{"s", "x", ""}};
    plan.point_of_no_return = 3;
    return plan;
}

class RunnerTest : public testing::Test {
  protected:
    void SetUp() override {
        folder = testing::TempDir() + "domsnap-runner-" + std::to_string(getpid());
        std::filesystem::create_directories(folder);
        journal = folder + "/journal";
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    static bool is_new(const plan::Plan& plan, const std::map<std::string, std::string>& files) {
        if (files.size() != plan.steps.size()) return false;
        for (const auto& [name, content] : files)
            if (content != "whole") return false;
        return true;
    }

    /// Runs until it is through, crashing once at first_crash and once at second_crash of the recovery.
    std::map<std::string, std::string> run_with_crashes(const plan::Plan& plan, int first_crash,
                                                        int second_crash) {
        std::map<std::string, std::string> files;
        try {
            FileWorld world(files, first_crash);
            run_plan(world, plan, journal, {});
        } catch (const Crash&) {
        }
        try {
            FileWorld world(files, second_crash);
            recover_plan(world, journal);
        } catch (const Crash&) {
        }
        FileWorld world(files, -1);
        recover_plan(world, journal);
        return files;
    }

    std::string folder, journal;
};

} // namespace

TEST_F(RunnerTest, CarriesOutAPlan) {
    std::map<std::string, std::string> files;
    FileWorld world(files, -1);
    run_plan(world, undoable_plan(), journal, {});
    EXPECT_TRUE(is_new(undoable_plan(), files));
    EXPECT_FALSE(os::exists(journal));
}

TEST_F(RunnerTest, ACrashAnywhereLeavesTheOldWorldOrTheNew) {
    for (const auto& plan : {undoable_plan(), final_plan(), waiting_plan()})
        for (int first = 0; first < 20; ++first)
            for (int second = -1; second < 20; ++second) {
                const auto files = run_with_crashes(plan, first, second);
                EXPECT_TRUE(files.empty() || is_new(plan, files))
                    << first << ' ' << second << ' ' << files.size();
                EXPECT_FALSE(os::exists(journal));
            }
}

TEST_F(RunnerTest, AFailureBeforeThePointOfNoReturnTakesEverythingBack) {
    for (int at = 0; at < 12; ++at) {
        std::map<std::string, std::string> files;
        FileWorld world(files, at);
        world.fail_instead = true;
        try {
            run_plan(world, undoable_plan(), journal, {});
            FAIL() << "the failure was lost";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::io);
        }
        EXPECT_TRUE(files.empty()) << at;
        EXPECT_FALSE(os::exists(journal));
    }
}

TEST_F(RunnerTest, AGuestThatMayBeGoneIsNotTakenForOneThatRuns) {
    for (const int at : {6, 7}) { // in the midst of end-guest, and behind it
        std::map<std::string, std::string> files;
        FileWorld world(files, at);
        world.fail_instead = true;
        EXPECT_THROW(run_plan(world, final_plan(), journal, {}), Error);
        EXPECT_TRUE(files.contains("a")) << at;
        FileWorld mended(files, -1);
        recover_plan(mended, journal);
        EXPECT_TRUE(is_new(final_plan(), files)) << at;
    }
}

TEST_F(RunnerTest, AFileOfSomebodyElseIsNotUndone) {
    std::map<std::string, std::string> files{{"b", "theirs"}};
    plan::Plan plan = undoable_plan();
    plan.steps[1] = plan::MakeOverlay{"b", "foreign", "", 0};
    FileWorld world(files, -1);
    EXPECT_THROW(run_plan(world, plan, journal, {}), Error);
    EXPECT_EQ(files, (std::map<std::string, std::string>{{"b", "theirs"}}));
}

TEST_F(RunnerTest, ACancelBeforeThePointOfNoReturnTakesEverythingBack) {
    std::map<std::string, std::string> files;
    FileWorld world(files, -1);
    const CancelFlag cancelled = true;
    Control control;
    control.cancel = &cancelled;
    EXPECT_THROW(run_plan(world, undoable_plan(), journal, control), Error);
    EXPECT_TRUE(files.empty());
}

TEST_F(RunnerTest, WhatMayBeLeftEndsTheOperation) {
    plan::Plan plan = undoable_plan();
    plan.steps.push_back(plan::RemoveFile{"a", "overlay"});
    std::map<std::string, std::string> files;
    FileWorld world(files, 16); // the 5th step's first effect
    world.fail_instead = true;
    EXPECT_THROW(run_plan(world, plan, journal, {}), Error);
    EXPECT_FALSE(os::exists(journal));
    EXPECT_TRUE(files.contains("record t"));
}

TEST_F(RunnerTest, WhatWaitsForMemoryIsCarriedOnBySomebodyElse) {
    std::map<std::string, std::string> files;
    FileWorld first(files, -1), second(files, -1);
    EXPECT_TRUE(run_plan_to_capture(first, waiting_plan(), journal, {}));
    EXPECT_TRUE(os::exists(journal));
    EXPECT_FALSE(is_new(waiting_plan(), files));
    continue_plan(second, journal, {});
    EXPECT_TRUE(is_new(waiting_plan(), files));
    EXPECT_FALSE(os::exists(journal));
    files.clear();
    EXPECT_FALSE(run_plan_to_capture(first, undoable_plan(), journal, {})) << "there is nothing to wait for";
    EXPECT_TRUE(is_new(undoable_plan(), files));
    EXPECT_FALSE(os::exists(journal));
}

TEST_F(RunnerTest, ACaptureThatBecameWholeIsNotThrownAway) {
    for (const bool lost : {false, true}) {
        std::map<std::string, std::string> files;
        FileWorld first(files, -1), recovery(files, -1);
        run_plan_to_capture(first, waiting_plan(), journal, {});
        recovery.capture_is_lost = lost;
        EXPECT_EQ(recover_plan(recovery, journal).size(), 1u);
        EXPECT_EQ(is_new(waiting_plan(), files), !lost);
        EXPECT_EQ(files.empty(), lost);
        EXPECT_FALSE(os::exists(journal));
    }
}

TEST_F(RunnerTest, AFailureOfWhoCarriesOnTakesEverythingBack) {
    std::map<std::string, std::string> files;
    FileWorld first(files, -1), second(files, -1);
    run_plan_to_capture(first, waiting_plan(), journal, {});
    second.capture_is_lost = true;
    EXPECT_THROW(continue_plan(second, journal, {}), Error);
    EXPECT_TRUE(files.empty());
    EXPECT_FALSE(os::exists(journal));
}

TEST_F(RunnerTest, AJournalWithoutAWholePlanMeansThatNothingWasDone) {
    os::write_file(journal, "domsnap jour");
    std::map<std::string, std::string> files;
    FileWorld world(files, -1);
    EXPECT_TRUE(recover_plan(world, journal).empty());
    EXPECT_FALSE(os::exists(journal));
    EXPECT_EQ(world.effects, 0u);
}

} // namespace domsnap::engine
