// Plans as golden text. UPDATE_GOLDEN=1 writes them anew.
#include "world.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace domsnap::plan {

namespace {

std::string text_of(const Plan& plan) {
    const auto view = describe(plan);
    std::string out = fmt::format("{} {} of {}\n", view.operation, plan.snapshot, plan.domain);
    for (size_t i = 0; i < view.steps.size(); ++i) {
        const auto& step = view.steps[i];
        if (step.point_of_no_return) out += "-- from here on: forward\n";
        if (i == plan.clean_up) out += "-- from here on: clean up\n";
        out += fmt::format("{}. {}{}\n", i + 1, step.action, step.guest_paused ? " [paused]" : "");
    }
    for (const auto& warning : view.warnings)
        out += fmt::format("warning: {}\n", warning);
    for (const auto& task : view.afterwards)
        out += fmt::format("then: {}\n", task);
    return out + view.guest + "\n";
}

void expect_golden(const std::string& name, const std::string& text) {
    const std::string path = fmt::format("{}/golden/{}.txt", TEST_DATA, name);
    if (std::getenv("UPDATE_GOLDEN")) std::ofstream(path) << text;
    std::ifstream file(path);
    std::stringstream wanted;
    wanted << file.rdbuf();
    EXPECT_EQ(wanted.str(), text) << path;
}

constexpr auto running = model::SnapshotState::running;
constexpr auto off = model::SnapshotState::shutoff;

/// Only vda can be internal: the other disk is raw.
constexpr const char* internal_vda =
    "<disks><disk name='vda' snapshot='internal'/><disk name='vdb' snapshot='no'/></disks>";

std::string request(const std::string& name, const std::string& inner) {
    return fmt::format("<domainsnapshot><name>{}</name>{}</domainsnapshot>", name, inner);
}

model::SnapshotTree tree_of(const Plan& plan) {
    return model::SnapshotTree({record_of(plan)}, plan.snapshot);
}

} // namespace

TEST(PlanGolden, CreateFullExternal) {
    expect_golden("create-full-external", text_of(plan_from_xml(request("s1", "<memory file='/vm/s1.mem'/>"),
                                                                {}, test_facts(running))));
}

TEST(PlanGolden, CreateFullWithoutUserfaultfd) {
    auto facts = test_facts(running);
    facts.background_snapshot = false;
    facts.why_not_background = "this user may not use userfaultfd";
    expect_golden("create-full-stopped",
                  text_of(plan_from_xml(request("s1", "<memory file='/vm/s1.mem'/>"), {}, facts)));
}

TEST(PlanGolden, CreateFullOfAGuestWithMappedRam) {
    auto facts = test_facts(running);
    facts.background_snapshot = false;
    facts.mapped_whole = facts.parent_image = "/vm/s0.mem";
    expect_golden("create-full-mapped",
                  text_of(plan_from_xml(request("s1", "<memory file='/vm/s1.mem'/>"), {}, facts)));
}

TEST(PlanGolden, CreateMemoryFileIsGenerated) {
    expect_golden(
        "create-generated-memory",
        text_of(plan_from_xml(request("s 1", "<memory snapshot='external'/>"), {}, test_facts(running))));
}

TEST(PlanGolden, CreateDiskOnly) {
    CreateOptions options;
    options.disk_only = true;
    expect_golden("create-disk-only", text_of(plan_from_xml(request("d", ""), options, test_facts(running))));
}

TEST(PlanGolden, CreateInternal) {
    expect_golden("create-internal",
                  text_of(plan_from_xml(request("i", internal_vda), {}, test_facts(running))));
}

TEST(PlanGolden, UefiAndTpmOfARunningGuest) {
    auto facts = uefi_facts(running);
    const auto create = plan_from_xml(request("s1", "<memory file='/vm/s1.mem'/>"), {}, facts);
    expect_golden("create-uefi", text_of(create));
    carry_out(facts, create);
    facts.images["/vm/s1.mem"] = {};
    expect_golden("revert-uefi", text_of(plan_revert("s1", {}, facts, tree_of(create))));
    facts.in_place = InPlaceFacts{{}, "/run", "1 2"};
    for (const auto& disk : facts.disks)
        facts.in_place->drives[disk.target] = "/machine/peripheral/" + disk.target;
    facts.images["/vm/s1.mem"].hash = "00000000000000aa";
    const auto in_place = plan_revert("s1", {}, facts, tree_of(create));
    expect_golden("revert-uefi-in-place", text_of(in_place));
    const auto rewind = std::find_if(in_place.steps.begin(), in_place.steps.end(), [](const Action& step) {
        return std::holds_alternative<RewindGuest>(step);
    });
    ASSERT_NE(rewind, in_place.steps.end());
    EXPECT_EQ(std::get<RewindGuest>(*rewind).kept.size(), 2u)
        << "a new process finds the NVRAM and the TPM's state";
    expect_golden("delete-uefi", text_of(plan_delete("s1", {}, facts, tree_of(create))));
    RevertOptions reset;
    reset.reset_nvram = true;
    EXPECT_THROW(plan_revert("s1", reset, facts, tree_of(create)), Error);
    facts.taken.erase(record_of(create).tpm->file);
    EXPECT_THROW(plan_revert("s1", {}, facts, tree_of(create)), Error);
}

TEST(PlanGolden, UefiAndTpmInOneStopWithInternalMemory) {
    expect_golden("create-uefi-internal",
                  text_of(plan_from_xml(request("i", internal_vda), {}, uefi_facts(running))));
}

TEST(PlanGolden, UefiAndTpmBeforeTheFirstStart) {
    auto facts = uefi_facts(off);
    facts.nvram->exists = facts.tpm->exists = false;
    const auto create = plan_from_xml(request("o", internal_vda), {}, facts);
    carry_out(facts, create);
    facts.nvram->exists = facts.tpm->exists = true;
    expect_golden("revert-uefi-unused", text_of(plan_revert("o", {}, facts, tree_of(create))));
}

TEST(PlanGolden, UefiIsResetWhereNoMemoryComesBack) {
    auto facts = uefi_facts(off);
    const auto create = plan_from_xml(request("o", internal_vda), {}, facts);
    carry_out(facts, create);
    RevertOptions reset;
    reset.reset_nvram = true;
    expect_golden("revert-uefi-reset", text_of(plan_revert("o", reset, facts, tree_of(create))));
}

TEST(PlanGolden, CreateOfflineBothKinds) {
    const auto mixed =
        "<disks><disk name='vda' snapshot='internal'/><disk name='vdb' snapshot='external'/></disks>";
    expect_golden("create-offline-mixed", text_of(plan_from_xml(request("o", mixed), {}, test_facts(off))));
}

TEST(PlanGolden, CreateWithADiskThatTheUserCopies) {
    expect_golden("create-manual",
                  text_of(plan_from_xml(request("m", "<memory file='/vm/m.mem'/><disks><disk name='vdb' "
                                                     "snapshot='manual'/></disks>"),
                                        {}, test_facts(running))));
}

TEST(PlanGolden, CreateWithQuietFileSystems) {
    auto facts = test_facts(running);
    facts.has_agent = true;
    const CreateOptions quiet{.quiesce = true};
    expect_golden("create-quiesce",
                  text_of(plan_from_xml(request("q", "<memory file='/vm/q.mem'/>"), quiet, facts)));
    facts.background_snapshot = false;
    facts.why_not_background = "this user may not use userfaultfd";
    expect_golden("create-quiesce-stopped",
                  text_of(plan_from_xml(request("q", "<memory file='/vm/q.mem'/>"), quiet, facts)));
}

TEST(PlanGolden, RevertMapped) {
    auto facts = test_facts(running);
    const auto create = plan_from_xml(request("s1", "<memory file='/vm/s1.mem'/>"), {}, facts);
    carry_out(facts, create);
    facts.images["/vm/s1.mem"] = {};
    RevertOptions mapped;
    mapped.mapped = true;
    expect_golden("revert-mapped", text_of(plan_revert("s1", mapped, facts, tree_of(create))));
    mapped.tmpfs = true;
    facts.memory_available = facts.live.memory;
    expect_golden("revert-tmpfs", text_of(plan_revert("s1", mapped, facts, tree_of(create))));
    facts.memory_available -= 4096;
    EXPECT_THROW(plan_revert("s1", mapped, facts, tree_of(create)), Error) << "there is no room for it";
    mapped.tmpfs = false;
    const auto alone = plan_from_xml(request("d", "<memory snapshot='no'/>"), {}, facts);
    EXPECT_THROW(plan_revert("d", mapped, facts, tree_of(alone)), Error);
}

TEST(PlanGolden, RevertFullExternal) {
    auto facts = test_facts(running);
    const auto create = plan_from_xml(request("s1", "<memory file='/vm/s1.mem'/>"), {}, facts);
    carry_out(facts, create);
    facts.images["/vm/s1.mem"] = {};
    expect_golden("revert-full-external", text_of(plan_revert("s1", {}, facts, tree_of(create))));
}

TEST(PlanGolden, RevertInternalThatAnOverlayRestsOn) {
    auto facts = test_facts(off);
    const auto internal = plan_from_xml(request("i", internal_vda), {}, facts);
    carry_out(facts, internal);
    const auto above = plan_from_xml(
        request("e", "<disks><disk name='vda' snapshot='external'/><disk name='vdb' snapshot='no'/></disks>"),
        {}, facts, tree_of(internal));
    carry_out(facts, above);
    const model::SnapshotTree tree({record_of(internal), record_of(above)}, "e");
    expect_golden("revert-internal-shared", text_of(plan_revert("i", {}, facts, tree)));
}

TEST(PlanGolden, DeleteTheCurrentExternal) {
    auto facts = test_facts(running);
    const auto create = plan_from_xml(request("s1", "<memory file='/vm/s1.mem'/>"), {}, facts);
    carry_out(facts, create);
    expect_golden("delete-current", text_of(plan_delete("s1", {}, facts, tree_of(create))));
}

TEST(PlanGolden, DeleteMetadataTouchesNoFile) {
    auto facts = test_facts(running);
    const auto create = plan_from_xml(request("s1", "<memory file='/vm/s1.mem'/>"), {}, facts);
    carry_out(facts, create);
    DeleteOptions options;
    options.metadata = true;
    expect_golden("delete-metadata", text_of(plan_delete("s1", options, facts, tree_of(create))));
}

} // namespace domsnap::plan
