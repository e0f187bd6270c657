// What plans refuse, and what every plan keeps.
#include "plan/names.h"
#include "plan/points.h"
#include "world.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace domsnap::plan {

namespace {

constexpr auto running = model::SnapshotState::running;
constexpr auto off = model::SnapshotState::shutoff;

template <class Work>
std::string refusal(const Work& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.what();
    }
    return "(accepted)";
}

std::string create_refusal(const std::string& xml, const CreateOptions& options = {},
                           const Facts& facts = test_facts(running), const model::SnapshotTree& tree = {}) {
    return refusal([&] { plan_from_xml(xml, options, facts, tree); });
}

/// A chain of full snapshots s1, s2, … of a running guest.
struct Chain {
    Facts facts = test_facts(running);
    std::vector<model::Snapshot> records;
    model::SnapshotTree tree;

    explicit Chain(unsigned count) {
        for (unsigned i = 1; i <= count; ++i) {
            const auto name = "s" + std::to_string(i);
            const auto plan = plan_from_xml("<domainsnapshot><name>" + name + "</name><memory file='/vm/" +
                                                name + ".mem'/></domainsnapshot>",
                                            {}, facts, tree);
            carry_out(facts, plan);
            facts.images["/vm/" + name + ".mem"] = {};
            records.push_back(record_of(plan));
            tree = model::SnapshotTree(records, name);
        }
    }
};

} // namespace

TEST(Planner, RefusesInTheUsersWords) {
    using testing::HasSubstr;
    EXPECT_THAT(create_refusal(
                    "<domainsnapshot><disks><disk name='vdb' snapshot='internal'/></disks></domainsnapshot>"),
                HasSubstr("disk vdb unsupported"));
    EXPECT_THAT(
        create_refusal("<domainsnapshot><disks><disk name='vda'><source "
                       "file='/vm/vdb.img'/></disk></disks><memory file='/vm/m'/></domainsnapshot>"),
        HasSubstr(
            "external snapshot file for disk vda already exists and is not a block device: /vm/vdb.img"));
    EXPECT_THAT(create_refusal("<domainsnapshot><memory file='/vm/vdb.img'/></domainsnapshot>"),
                HasSubstr("memory image /vm/vdb.img already exists"));
    EXPECT_THAT(create_refusal("<domainsnapshot><name>..</name></domainsnapshot>", {.disk_only = true}),
                HasSubstr("invalid snapshot name '..'"));
    EXPECT_THAT(
        create_refusal("<domainsnapshot><memory file='/vm/m'/></domainsnapshot>", {}, test_facts(off)),
        HasSubstr("no memory to save"));
}

TEST(Planner, ACrashedGuestIsNotSavedButEndedByARevert) {
    Chain chain(1);
    chain.facts.state = model::SnapshotState::crashed;
    EXPECT_THAT(create_refusal("<domainsnapshot/>", {}, chain.facts, chain.tree),
                testing::HasSubstr("domain 'vm' is crashed"));
    const auto plan = plan_revert("s1", {}, chain.facts, chain.tree);
    EXPECT_TRUE(std::any_of(plan.steps.begin(), plan.steps.end(),
                            [](const Action& a) { return std::holds_alternative<KillGuest>(a); }));
}

/// What stands in the way of a second QEMU beside the first stands in the way of not waiting for that one's
/// end.
TEST(Planner, AnEndIsWaitedForFirstWhereTheTwoWouldFight) {
    const auto kinds = [](const Facts& facts, const model::SnapshotTree& tree) {
        std::vector<std::string> found;
        for (const auto& step : plan_revert("s1", {}, facts, tree).steps)
            found.emplace_back(kind_of(step));
        return found;
    };
    Chain chain(1);
    const auto beside = kinds(chain.facts, chain.tree);
    EXPECT_THAT(beside, testing::IsSupersetOf({"prepare-guest", "kill-guest", "await-end"}));
    EXPECT_THAT(beside, testing::Not(testing::Contains("end-guest")));
    const auto place = [&](const char* kind) { return std::find(beside.begin(), beside.end(), kind); };
    EXPECT_LT(place("resume-guest"), place("await-end"));
    EXPECT_LT(place("await-end"), place("remove-file"));
    chain.facts.why_not_beside = "it has a TPM";
    const auto alone = kinds(chain.facts, chain.tree);
    EXPECT_THAT(alone, testing::Contains("end-guest"));
    EXPECT_THAT(alone, testing::Not(testing::Contains(testing::AnyOf("kill-guest", "await-end"))));
}

TEST(Planner, RefusesATakenName) {
    const Chain chain(1);
    EXPECT_EQ(create_refusal("<domainsnapshot><name>s1</name></domainsnapshot>", {.disk_only = true},
                             chain.facts, chain.tree),
              "operation failed: domain moment s1 already exists");
}

TEST(Planner, RefusesWithoutSpaceForMemory) {
    auto facts = test_facts(running);
    facts.free_space["/vm"] = 1 << 20;
    EXPECT_THAT(create_refusal("<domainsnapshot><memory file='/vm/m'/></domainsnapshot>", {}, facts),
                testing::HasSubstr("no space for memory image /vm/m"));
}

TEST(Planner, NamesWithoutANameNeverCollide) {
    const CreateOptions disk_only{.disk_only = true};
    auto facts = test_facts(running);
    std::vector<model::Snapshot> records;
    std::set<std::string> names;
    for (int i = 0; i < 20; ++i) {
        const auto plan =
            plan_from_xml("<domainsnapshot/>", disk_only, facts, model::SnapshotTree(records, {}));
        EXPECT_TRUE(names.insert(plan.snapshot).second) << plan.snapshot;
        carry_out(facts, plan);
        records.push_back(record_of(plan));
    }
    EXPECT_EQ(*names.begin(), "1700000000");
}

TEST(Planner, TheSameInputGivesTheSamePlan) {
    const Chain chain(3);
    EXPECT_EQ(to_json(plan_revert("s2", {}, chain.facts, chain.tree)),
              to_json(plan_revert("s2", {}, chain.facts, chain.tree)));
}

TEST(Planner, TheJournalsFormLosesNothing) {
    const Chain chain(2);
    for (const auto& plan :
         {plan_revert("s1", {}, chain.facts, chain.tree), plan_delete("s1", {}, chain.facts, chain.tree),
          plan_from_xml("<domainsnapshot/>", {.disk_only = true}, chain.facts, chain.tree)})
        EXPECT_EQ(to_json(plan_from_json(to_json(plan))), to_json(plan));
}

TEST(Planner, AJournalOfANewerDomsnapIsRefused) {
    EXPECT_THAT(refusal([] { plan_from_json(R"({"plan":2})"); }),
                testing::HasSubstr("written by a newer domsnap"));
    EXPECT_THAT(refusal([] { plan_from_json("{"); }), testing::HasSubstr("cannot be read"));
}

TEST(Planner, RevertRefusesMissingFilesByName) {
    Chain chain(1);
    chain.facts.files.at("/vm/vda.qcow2").problem = "No such file or directory";
    EXPECT_THAT(refusal([&] { plan_revert("s1", {}, chain.facts, chain.tree); }),
                testing::HasSubstr("needs file /vm/vda.qcow2 for disk 'vda': No such file"));
    chain.facts.files.at("/vm/vda.qcow2").problem.clear();
    chain.facts.images["/vm/s1.mem"].problem = "torn";
    EXPECT_THAT(refusal([&] { plan_revert("s1", {}, chain.facts, chain.tree); }), testing::HasSubstr("torn"));
}

TEST(Planner, ACopyOfTheUsersMustBePutBackByTheUser) {
    auto facts = test_facts(running);
    const auto create = plan_from_xml("<domainsnapshot><name>m</name><memory file='/vm/m.mem'/><disks><disk "
                                      "name='vdb' snapshot='manual'/></disks></domainsnapshot>",
                                      {}, facts);
    carry_out(facts, create);
    facts.images["/vm/m.mem"] = {};
    const model::SnapshotTree tree({record_of(create)}, "m");
    RevertOptions forced;
    forced.force = true;
    EXPECT_THAT(refusal([&] { plan_revert("m", forced, facts, tree); }),
                testing::HasSubstr("cannot be put back while domain 'vm' runs"));
    facts.state = off;
    facts.has_process = false;
    EXPECT_THAT(refusal([&] { plan_revert("m", {}, facts, tree); }),
                testing::HasSubstr("revert requires force: disk 'vdb' of snapshot 'm'"));
    for (const auto& step : plan_revert("m", forced, facts, tree).steps)
        if (const auto* made = std::get_if<MakeOverlay>(&step)) {
            EXPECT_NE(made->backing, "/vm/vdb.img") << "the user's copy is what the guest goes on with";
        }
}

TEST(Planner, LiveIsRefusedWhereTheGuestWouldStandStill) {
    const CreateOptions live{.live = true};
    const auto said = [&](const std::string& inner, const Facts& facts) {
        return create_refusal("<domainsnapshot><name>l</name>" + inner + "</domainsnapshot>", live, facts);
    };
    auto facts = test_facts(running);
    EXPECT_EQ(said("<memory file='/vm/l.mem'/>", facts), "(accepted)");
    EXPECT_EQ(said("<memory snapshot='no'/>", facts), "(accepted)");
    const std::string words = "live snapshot creation is supported only during full system snapshots: ";
    EXPECT_EQ(said("<memory snapshot='internal'/><disks><disk name='vdb' snapshot='no'/></disks>", facts),
              words + "QEMU stops the guest while it writes its memory into an image");
    EXPECT_EQ(said("<memory file='/vm/l.mem'/><disks><disk name='vdb' snapshot='manual'/></disks>", facts),
              words + "the guest must stand still until you have copied the disk");
    EXPECT_EQ(said("<disks><disk name='vda' snapshot='external'/></disks>", test_facts(off)),
              words + "the domain is not running");
    facts.background_snapshot = false;
    facts.why_not_background = "this user may not use userfaultfd";
    EXPECT_EQ(said("<memory file='/vm/l.mem'/>", facts), words + facts.why_not_background);
}

TEST(Planner, QuiescingNeedsAnAgentThatAnswers) {
    const CreateOptions quiet{.disk_only = true, .quiesce = true};
    auto facts = test_facts(running);
    const auto refused = [&] { return create_refusal("<domainsnapshot/>", quiet, facts); };
    EXPECT_EQ(refused(), "argument unsupported: QEMU guest agent is not configured");
    facts.has_agent = true;
    facts.agent_problem = "Guest agent is not responding";
    EXPECT_THAT(refused(), testing::HasSubstr("cannot be quiesced: Guest agent is not responding"));
    facts.state = model::SnapshotState::paused;
    EXPECT_THAT(refused(), testing::HasSubstr("its agent cannot freeze its file systems"));
    facts = test_facts(off);
    EXPECT_EQ(refused(), "Requested operation is not valid: domain is not running");
}

TEST(Planner, AMemoryOfFrozenFileSystemsIsThawedByARevert) {
    auto facts = test_facts(running);
    facts.has_agent = true;
    const auto create =
        plan_from_xml("<domainsnapshot><name>q</name><memory file='/vm/q.mem'/></domainsnapshot>",
                      {.quiesce = true}, facts);
    carry_out(facts, create);
    facts.images["/vm/q.mem"] = {};
    const model::SnapshotTree tree({record_of(create)}, "q");
    const auto is_thaw = [](const Action& action) { return std::holds_alternative<ThawGuest>(action); };
    const auto plan = plan_revert("q", {}, facts, tree);
    EXPECT_TRUE(std::any_of(plan.steps.begin(), plan.steps.end(), is_thaw));
}

TEST(Planner, RevertNeverWritesAFrozenFile) {
    const Chain chain(4);
    for (const auto& snapshot : chain.tree.all()) {
        const auto plan = plan_revert(snapshot.name, {}, chain.facts, chain.tree);
        for (const auto& step : plan.steps) {
            if (const auto* remove = std::get_if<RemoveFile>(&step)) {
                EXPECT_FALSE(is_point(chain.tree.all(), remove->path)) << remove->path;
            }
            EXPECT_FALSE(std::holds_alternative<Merge>(step));
            if (const auto* apply = std::get_if<ApplyInternal>(&step)) {
                EXPECT_FALSE(is_whole_point(chain.tree.all(), apply->path));
            }
        }
    }
}

TEST(Planner, DeleteKeepsEveryOtherPoint) {
    const Chain chain(4);
    for (const auto& doomed : chain.tree.all()) {
        const auto plan = plan_delete(doomed.name, {}, chain.facts, chain.tree);
        std::vector<model::Snapshot> remaining;
        for (const auto& one : chain.tree.all())
            if (one.name != doomed.name) remaining.push_back(one);
        for (const auto& step : plan.steps)
            if (const auto* merge = std::get_if<Merge>(&step)) {
                EXPECT_FALSE(is_point(remaining, merge->base)) << merge->base;
            }
    }
}

TEST(Planner, ASharedFileStaysUntilOneChildIsLeft) {
    Chain chain(2);
    // A second branch over s1's file, as a revert to s1 leaves it.
    add_file(chain.facts, "/vm/vda.branch", "qcow2", "/vm/vda.qcow2");
    const auto plan = plan_delete("s1", {}, chain.facts, chain.tree);
    for (const auto& step : plan.steps)
        if (const auto* merge = std::get_if<Merge>(&step)) {
            EXPECT_NE(merge->base, "/vm/vda.qcow2");
        }
}

TEST(Planner, DeleteNeverRemovesABaseImage) {
    const Chain chain(2);
    for (const auto& step : plan_delete("s1", {.children = true}, chain.facts, chain.tree).steps)
        if (const auto* remove = std::get_if<RemoveFile>(&step)) {
            EXPECT_NE(remove->path, "/vm/vda.qcow2");
            EXPECT_NE(remove->path, "/vm/vdb.img");
        }
}

TEST(Planner, DeletingAnInnerSnapshotMovesTheChildsPoint) {
    const Chain chain(2); // vda.qcow2 <- vda.s1 (s2's point) <- vda.s2
    const auto plan = plan_delete("s1", {}, chain.facts, chain.tree);
    std::string last;
    for (const auto& step : plan.steps)
        if (const auto* put = std::get_if<PutRecord>(&step); put && put->name == "s2") last = put->text;
    const auto moved =
        xml::parse_snapshot(last, {.redefine = true, .disk_only = false, .record = true}, "record");
    EXPECT_EQ(moved.parent, "");
    EXPECT_EQ(moved.find_disk("vda")->point->file, "/vm/vda.qcow2");
}

TEST(Names, SnapshotNamesBecomeSafeFileNames) {
    std::set<std::string> taken{"/d/a.x_y"};
    EXPECT_EQ(free_overlay("/d/a.qcow2", "x/y", taken), "/d/a.x_y-1");
    EXPECT_EQ(free_overlay("/d/plain", "A", taken), "/d/plain.A");
    EXPECT_EQ(free_overlay("/d/a.b.qcow2", "S.1", taken), "/d/a.b.S.1");
    EXPECT_EQ(file_part("a\nb"), "a_b");
    EXPECT_LE(file_part(std::string(400, 'x')).size(), 150u);
    std::string umlauts;
    for (int i = 0; i < 100; ++i)
        umlauts += "ä";
    EXPECT_EQ(file_part(umlauts).size() % 2, 0u);
    EXPECT_LE(free_overlay("/d/" + std::string(250, 'd'), std::string(300, 's'), taken).size(), 3u + 255u);
}

} // namespace domsnap::plan
