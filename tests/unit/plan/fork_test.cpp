// Plans of forks: what they make, what they leave to the origin, and what stands in their way.
#include "plan/fork.h"
#include "world.h"

#include <algorithm>
#include <gmock/gmock.h>

namespace domsnap::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

ForkIdentity identity() {
    return {"f",
            "99999999-2222-4333-8444-555555555555",
            "88888888-2222-4333-8444-555555555555",
            "/state/firmware/f",
            {"52:54:00:00:00:01", "52:54:00:00:00:02"}};
}

std::string error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

/// A checkpoint of a domain, and what is known of it.
struct Saved {
    Facts facts;
    model::SnapshotTree tree;
    explicit Saved(Facts before, const std::string& inside = "<memory file='/vm/s.mem'/>")
        : facts(std::move(before)) {
        const auto create =
            plan_from_xml("<domainsnapshot><name>s</name>" + inside + "</domainsnapshot>", {}, facts);
        carry_out(facts, create);
        facts.images["/vm/s.mem"].hash = "00c5a1f3d2e4b697";
        tree = model::SnapshotTree({record_of(create)}, "s");
    }
    Plan fork(ForkOptions options = {}) {
        auto taken = facts.taken;
        return plan_fork("s", options, identity(), facts, tree, taken);
    }
};

std::vector<std::string> kinds(const Plan& plan) {
    std::vector<std::string> all;
    for (const auto& step : plan.steps)
        all.emplace_back(kind_of(step));
    return all;
}

Facts with_devices(const std::string& devices) {
    Facts facts = test_facts(model::SnapshotState::running);
    auto text = model::to_text(facts.live.document);
    text.insert(text.find("</devices>"), devices);
    facts.definition = facts.live = model::domain_from(xml::parse(text, "test"));
    return facts;
}

std::string definition_of(const Plan& plan) { return std::get<PutDefinition>(plan.steps.front()).text; }

TEST(Fork, IsMadeOfOverlaysAndMemoryThatWaits) {
    Saved saved(test_facts(model::SnapshotState::running));
    const auto plan = saved.fork();
    EXPECT_THAT(kinds(plan), ElementsAre("put-definition", "make-overlay", "make-overlay", "put-fork"));
    EXPECT_EQ(plan.point_of_no_return, plan.steps.size()) << "a crash takes all of it back";
    EXPECT_EQ(std::get<MakeOverlay>(plan.steps[1]).path, "/vm/vda.f");
    EXPECT_EQ(std::get<MakeOverlay>(plan.steps[1]).backing, "/vm/vda.qcow2");
    EXPECT_THAT(definition_of(plan), HasSubstr("<name>f</name>"));
    EXPECT_THAT(definition_of(plan), HasSubstr("/vm/vda.f"));
    EXPECT_THAT(definition_of(plan), Not(HasSubstr("11111111")));
    const auto note =
        model::fork_from(xml::parse_root(std::get<PutFork>(plan.steps.back()).text, "fork", "note"));
    EXPECT_EQ(note.origin, "vm");
    EXPECT_EQ(note.hash, "00c5a1f3d2e4b697");
    EXPECT_TRUE(note.rests_on("/vm/s.mem"));
    EXPECT_TRUE(note.rests_on("/vm/vda.qcow2"));
    EXPECT_FALSE(note.rests_on("/vm/vda.f"));
    ASSERT_TRUE(note.memory);
    EXPECT_EQ(model::domain_from(note.memory->domain).find_disk("vdb")->source, "/vm/vdb.f");
}

/// What it writes from then on is not of its memory's time any more. (G10)
TEST(Fork, CannotBeTakenBackOnceItRuns) {
    Saved saved(test_facts(model::SnapshotState::running));
    ForkOptions options;
    options.start = true;
    const auto plan = saved.fork(options);
    ASSERT_LT(plan.point_of_no_return, plan.steps.size());
    EXPECT_STREQ(kind_of(plan.steps[plan.point_of_no_return]), "resume-guest");
}

TEST(Fork, StartsByMappingTheImage) {
    Saved saved(test_facts(model::SnapshotState::running));
    ForkOptions options;
    options.start = options.paused = true;
    const auto plan = saved.fork(options);
    EXPECT_THAT(kinds(plan), ElementsAre("put-definition", "make-overlay", "make-overlay", "put-fork",
                                         "start-guest", "put-fork"));
    EXPECT_EQ(plan.point_of_no_return, plan.steps.size());
    const auto& start = std::get<StartGuest>(plan.steps[4]);
    EXPECT_TRUE(start.mapped && start.paused);
    EXPECT_EQ(start.image, "/vm/s.mem");
    EXPECT_THAT(std::get<PutFork>(plan.steps[5]).text, Not(HasSubstr("waiting")));
    EXPECT_EQ(to_json(plan_from_json(to_json(plan))), to_json(plan));
}

TEST(Fork, OfADomainWithUefiGetsCopiesOfItsOwn) {
    Saved saved(uefi_facts(model::SnapshotState::running));
    const auto plan = saved.fork();
    EXPECT_THAT(kinds(plan), ElementsAre("put-definition", "make-overlay", "make-overlay", "copy-state",
                                         "copy-state", "put-fork"));
    EXPECT_EQ(std::get<CopyState>(plan.steps[3]).to, "/state/firmware/f/VARS.fd");
    EXPECT_EQ(std::get<CopyState>(plan.steps[4]).to, "/state/firmware/f/tpm2/tpm2-00.permall");
    EXPECT_THAT(definition_of(plan), HasSubstr("/state/firmware/f/VARS.fd"));
}

TEST(Fork, HasNothingThatTwoWouldFightOver) {
    Saved saved(with_devices(
        "<interface type='user'><mac address='52:54:00:aa:bb:cc'/></interface><interface type='user'/>"
        "<serial type='unix'><source mode='bind' path='/run/a.sock'/><target port='0'/></serial>"
        "<graphics type='vnc' port='5901' autoport='no'/>"));
    const auto plan = saved.fork();
    const auto text = definition_of(plan);
    for (const auto* gone : {"52:54:00:aa:bb:cc", "/run/a.sock", "5901"})
        EXPECT_THAT(text, Not(HasSubstr(gone)));
    for (const auto* there : {"52:54:00:00:00:01", "52:54:00:00:00:02", "mode='bind'"})
        EXPECT_THAT(text, HasSubstr(there));
    EXPECT_EQ(plan.warnings.size(), 2U);
}

TEST(Fork, RefusesByNameWhatCannotBeThereTwice) {
    for (const auto& [device, why] :
         {std::pair{"<serial type='file'><source path='/x'/></serial>", "type is 'file'"},
          {"<serial type='pty'><log file='/x'/></serial>", "log"},
          {"<channel type='unix'><source mode='connect' path='/x'/></channel>", "client"}}) {
        Saved saved(with_devices(device));
        EXPECT_THAT(error_of([&] { saved.fork(); }), HasSubstr(why));
    }
}

TEST(Fork, NeedsAllDisksAsFilesThatNobodyWrites) {
    Saved left_out(test_facts(model::SnapshotState::running),
                   "<memory file='/vm/s.mem'/><disks><disk name='vdb' snapshot='no'/></disks>");
    EXPECT_THAT(error_of([&] { left_out.fork(); }), HasSubstr("/vm/vdb.img"));
    Saved inside(test_facts(model::SnapshotState::running),
                 "<memory file='/vm/s.mem'/><disks><disk name='vda' snapshot='internal'/>"
                 "<disk name='vdb' snapshot='external'/></disks>");
    EXPECT_THAT(error_of([&] { inside.fork(); }), HasSubstr("internal snapshot in /vm/vda.qcow2"));
    Saved gone(test_facts(model::SnapshotState::running));
    gone.facts.images["/vm/s.mem"].problem = "it is torn";
    EXPECT_THAT(error_of([&] { gone.fork(); }), HasSubstr("it is torn"));
}

TEST(Fork, StartsOnlyOnTheDisksThatItsMemoryKnows) {
    Saved saved(test_facts(model::SnapshotState::running));
    const auto plan = saved.fork();
    const auto note =
        model::fork_from(xml::parse_root(std::get<PutFork>(plan.steps.back()).text, "fork", "note"));
    auto definition = model::domain_from(xml::parse(definition_of(plan), "test"));
    EXPECT_THAT(kinds(plan_first_start(note, definition, false)),
                ElementsAre("start-guest", "put-fork", "resume-guest"));
    model::set_disk_source(definition, "vda", "file", "/vm/other", "qcow2");
    EXPECT_THAT(error_of([&] { plan_first_start(note, definition, false); }), HasSubstr("/vm/other"));
}

TEST(Fork, KeepsItsSnapshot) {
    Saved saved(test_facts(model::SnapshotState::running));
    saved.facts.pinned["/vm/s.mem"] = {"fork 'f1'", "fork 'f2'"};
    EXPECT_THAT(error_of([&] { plan_delete("s", {}, saved.facts, saved.tree); }),
                HasSubstr("'s' cannot be deleted: fork 'f1', fork 'f2' need /vm/s.mem"));
    DeleteOptions metadata;
    metadata.metadata = true;
    EXPECT_EQ(error_of([&] { plan_delete("s", metadata, saved.facts, saved.tree); }), "no error");
}

TEST(Fork, ItsNoteIsReadAsItWasWritten) {
    EXPECT_THROW(model::fork_from(model::Element("domain")), Error);
    model::Element incomplete("fork");
    incomplete.set_attribute("origin", "g");
    EXPECT_THAT(error_of([&] { model::fork_from(incomplete); }), HasSubstr("uuid"));
}

TEST(Fork, MemoryThatLibvirtSavedIsLoadedOnceAndRemoved) {
    const auto definition = test_facts(model::SnapshotState::shutoff).definition;
    model::Fork note;
    note.created = 5;
    note.image = "/state/firmware/u/managed-save";
    note.hash = "00c5a1f3d2e4b697";
    for (const auto& disk : definition.disks)
        if (!disk.empty()) note.disks.push_back({disk.target, disk.source, {}, 7});
    note.memory = model::WaitingMemory{true, false, definition.document};
    const auto read = model::fork_from(model::to_element(note));
    EXPECT_TRUE(read.adopted());
    EXPECT_EQ(read.disks.front().modified, 7u);
    EXPECT_TRUE(read.memory && read.memory->paused);

    const auto plan = plan_first_start(read, definition, false);
    EXPECT_THAT(kinds(plan), ElementsAre("start-guest", "put-fork", "remove-file"));
    const auto& start = std::get<StartGuest>(plan.steps.front());
    EXPECT_TRUE(start.paused && !start.mapped && !start.at_once);
    EXPECT_EQ(std::get<PutFork>(plan.steps[1]).text, "");
    EXPECT_EQ(plan.clean_up, 2u);
    EXPECT_EQ(std::get<RemoveFile>(plan.steps.back()).path, note.image);
}

} // namespace
} // namespace domsnap::plan
