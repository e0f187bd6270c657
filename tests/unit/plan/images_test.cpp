// Memory images that rest on each other: what a delete leaves of them, and what a create rests on.
#include "plan/image_chain.h"
#include "plan/points.h"
#include "world.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <random>

namespace domsnap::plan {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A domain whose snapshots have memory alone, and whose images hold a few numbered pages each.
class Memories : public testing::Test {
  protected:
    using Content = std::map<int, std::string>;

    static std::string file(const std::string& name) { return "/vm/" + name + ".mem"; }

    /// rests_on: the snapshot whose image is the parent; "" = whole.
    void add(const std::string& name, const std::string& parent, const std::string& rests_on, Content pages) {
        model::Snapshot snapshot;
        snapshot.name = name;
        snapshot.parent = parent;
        snapshot.state = model::SnapshotState::running;
        snapshot.memory = {model::Location::external, file(name), {}};
        snapshot.domain = {test_domain().document};
        records.push_back(snapshot);
        facts.images[file(name)].parent = rests_on.empty() ? "" : file(rests_on);
        facts.made.insert(file(name));
        facts.taken.insert(file(name));
        own[file(name)] = std::move(pages);
        history[name] = content(file(name));
    }

    Content content(const std::string& path) const {
        Content pages;
        const auto chain = image_chain(facts, path);
        for (auto at = chain.rbegin(); at != chain.rend(); ++at)
            for (const auto& [page, value] : own.at(*at)) // throws if it is gone
                pages[page] = value;
        return pages;
    }

    Plan plan(const std::string& name, const DeleteOptions& options = {}) const {
        return plan_delete(name, options, facts, model::SnapshotTree(records, ""));
    }

    void erase(const std::string& name, const DeleteOptions& options = {}) {
        for (const auto& step : plan(name, options).steps) {
            if (const auto* fold = std::get_if<FoldImage>(&step)) carry_out_fold(*fold);
            if (const auto* gone = std::get_if<RemoveFile>(&step)) {
                ASSERT_EQ(own.erase(gone->path), 1u) << gone->path;
                facts.images.erase(gone->path);
            }
            if (const auto* gone = std::get_if<RemoveRecord>(&step))
                std::erase_if(records, [&](const auto& record) { return record.name == gone->name; });
            if (const auto* put = std::get_if<PutRecord>(&step))
                for (auto& record : records)
                    if (record.name == put->name)
                        record = xml::parse_snapshot(
                            put->text, {.redefine = true, .disk_only = false, .record = true}, "record");
        }
    }

    void carry_out_fold(const FoldImage& fold) {
        ASSERT_FALSE(facts.taken.contains(fold.fresh));
        const auto chain = image_chain(facts, fold.path);
        for (const auto& below : chain) {
            if (below == fold.parent) break;
            for (const auto& [page, value] : own.at(below))
                own.at(fold.path).try_emplace(page, value);
        }
        facts.images.at(fold.path).parent = fold.parent;
    }

    void expect_all_as_they_were() const {
        for (const auto& record : records)
            EXPECT_EQ(content(record.memory.file), history.at(record.name)) << record.name;
    }

    std::vector<std::string> files() const {
        std::vector<std::string> paths;
        for (const auto& [path, pages] : own)
            paths.push_back(path);
        return paths;
    }

    static std::vector<std::string> actions(const Plan& plan) {
        std::vector<std::string> words;
        for (size_t step = plan.clean_up; step < plan.steps.size(); ++step)
            words.push_back(describe(plan).steps[step].action);
        return words;
    }

    Facts facts = test_facts(model::SnapshotState::running);
    std::vector<model::Snapshot> records;
    std::map<std::string, Content> own;
    std::map<std::string, Content> history; ///< by snapshot
};

TEST_F(Memories, TheLastGoesWithItsImage) {
    add("a", "", "", {{1, "a"}});
    add("b", "a", "a", {{2, "b"}});
    EXPECT_THAT(actions(plan("b")), ElementsAre("remove /vm/b.mem (memory image)"));
}

TEST_F(Memories, AMiddleOneFoldsIntoItsOnlyChild) {
    add("a", "", "", {{1, "a"}});
    add("b", "a", "a", {{2, "b"}});
    add("c", "b", "b", {{3, "c"}});
    EXPECT_THAT(
        actions(plan("b")),
        ElementsAre("write memory image /vm/c.mem anew, resting on /vm/a.mem, as /vm/c.mem.fold first",
                    "remove /vm/b.mem (its content is in /vm/c.mem)"));
    EXPECT_THAT(actions(plan("a")),
                ElementsAre("write memory image /vm/b.mem anew, whole, as /vm/b.mem.fold first",
                            "remove /vm/a.mem (its content is in /vm/b.mem)"));
    erase("b");
    erase("a");
    expect_all_as_they_were();
    EXPECT_THAT(files(), ElementsAre("/vm/c.mem"));
}

TEST_F(Memories, ASharedOneStaysUntilOneIsLeft) {
    add("a", "", "", {{1, "a"}});
    add("b", "a", "a", {{2, "b"}});
    add("c", "a", "a", {{3, "c"}});
    EXPECT_THAT(actions(plan("a")), IsEmpty());
    erase("a");
    erase("c");
    expect_all_as_they_were();
    EXPECT_THAT(files(), ElementsAre("/vm/b.mem"));
}

TEST_F(Memories, WithChildrenAllGo) {
    add("a", "", "", {{1, "a"}});
    add("b", "a", "a", {{2, "b"}});
    add("c", "b", "b", {{3, "c"}});
    DeleteOptions options;
    options.children = true;
    EXPECT_THAT(actions(plan("a", options)),
                ElementsAre("remove /vm/c.mem (memory image)", "remove /vm/b.mem (memory image)",
                            "remove /vm/a.mem (memory image)"));
    options.metadata = true;
    EXPECT_THAT(actions(plan("a", options)), IsEmpty());
}

TEST_F(Memories, WhatOnlyTheDeletedRestedOnGoesToo) {
    add("a", "", "", {{1, "a"}});
    add("b", "a", "a", {{2, "b"}});
    add("c", "a", "a", {{3, "c"}});
    erase("a"); // its image stays for both
    DeleteOptions options;
    erase("b");
    erase("c", options);
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(Memories, AnImageThatIsNotOursIsNotFoldedAway) {
    add("a", "", "", {{1, "a"}});
    add("b", "a", "a", {{2, "b"}});
    add("c", "b", "b", {{3, "c"}});
    std::erase_if(records, [](const auto& record) { return record.name == "a"; });
    facts.made.erase("/vm/a.mem");
    EXPECT_THAT(
        actions(plan("b")),
        ElementsAre("write memory image /vm/c.mem anew, resting on /vm/a.mem, as /vm/c.mem.fold first",
                    "remove /vm/b.mem (its content is in /vm/c.mem)"));
}

TEST_F(Memories, NothingIsRemovedThatAnUnreadableOneMayNeed) {
    add("a", "", "", {{1, "a"}});
    add("b", "a", "a", {{2, "b"}});
    add("c", "b", "", {{3, "c"}});
    facts.images["/vm/c.mem"] = {"it is torn", 0, "", false, {}};
    EXPECT_THAT(actions(plan("b")), IsEmpty());
    EXPECT_THAT(plan("b").warnings, ElementsAre(HasSubstr("because /vm/c.mem is still needed")));
    facts.images["/vm/c.mem"].is_link_known = true;
    EXPECT_THAT(actions(plan("b")), ElementsAre("remove /vm/b.mem (memory image)"));
}

TEST_F(Memories, WhatCannotBeReadIsNotWrittenAnew) {
    add("a", "", "", {{1, "a"}});
    add("b", "a", "a", {{2, "b"}});
    facts.images["/vm/b.mem"].problem = "it was altered";
    EXPECT_THAT(actions(plan("a")), IsEmpty());
    EXPECT_THAT(plan("a").warnings, ElementsAre(HasSubstr("/vm/a.mem stays: /vm/b.mem rests on it")));
}

TEST_F(Memories, WhatAForkNeedsIsNotWrittenAnew) {
    add("a", "", "", {{1, "a"}});
    add("b", "a", "a", {{2, "b"}});
    facts.pinned["/vm/b.mem"] = {"fork 'f'"};
    EXPECT_THAT(actions(plan("a")), IsEmpty());
    EXPECT_THAT(plan("a").warnings, ElementsAre(HasSubstr("fork 'f' needs it as it is")));
}

TEST_F(Memories, AFileIsNeededByAllThatRestOnIt) {
    add("a", "", "", {{1, "a"}});
    add("b", "a", "a", {{2, "b"}});
    add("c", "b", "b", {{3, "c"}});
    EXPECT_THAT(needed_by(records, facts, "/vm/a.mem"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(needed_by(records, facts, "/vm/c.mem"), ElementsAre("c"));
}

/// Trees of any shape, deleted in any order: what is left is what it was, and nothing is left too much.
TEST_F(Memories, KeepTheirContentWhateverIsDeleted) {
    for (unsigned seed = 0; seed < 40; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&](size_t limit) { return static_cast<size_t>(random() % limit); };
        records.clear(), own.clear(), history.clear(), facts.images.clear(), facts.made.clear();
        for (int n = 0; n < 12; ++n) {
            const auto name = "s" + std::to_string(n);
            const auto parent = records.empty() || below(8) == 0 ? "" : records[below(records.size())].name;
            add(name, parent, below(6) == 0 ? "" : parent,
                {{n % 3, name}, {static_cast<int>(below(5)), name}, {100 + n, name}});
        }
        while (!records.empty()) {
            DeleteOptions options;
            options.children = below(8) == 0;
            erase(records[below(records.size())].name, options);
            if (HasFatalFailure()) FAIL() << seed;
            expect_all_as_they_were();
            for (const auto& path : files()) {
                const bool is_named = std::ranges::any_of(
                    records, [&](const auto& record) { return record.memory.file == path; });
                EXPECT_TRUE(is_named || images_on(facts, path).size() > 1) << path << ", seed " << seed;
            }
        }
        EXPECT_THAT(files(), IsEmpty()) << seed;
    }
}

constexpr const char* full = "<domainsnapshot><name>n</name><memory file='/vm/n.mem'/></domainsnapshot>";

std::string parent_of(const Plan& plan) {
    for (const auto& step : plan.steps)
        if (const auto* change = std::get_if<SwitchDisks>(&step)) return change->parent;
    return "(none)";
}

TEST(CreateOnAParent, IsAskedForByFactsAndOptions) {
    auto facts = test_facts(model::SnapshotState::running);
    EXPECT_EQ(parent_of(plan_from_xml(full, {}, facts)), "");
    facts.parent_image = "/vm/a.mem";
    EXPECT_EQ(parent_of(plan_from_xml(full, {}, facts)), "/vm/a.mem");
    CreateOptions whole, unnamed;
    whole.full = true;
    EXPECT_EQ(parent_of(plan_from_xml(full, whole, facts)), "");
    unnamed.no_metadata = true;
    EXPECT_EQ(parent_of(plan_from_xml(full, unnamed, facts)), "");
}

TEST(CreateOnAParent, SaysWhyItCannot) {
    auto facts = test_facts(model::SnapshotState::running);
    facts.why_whole = "/vm/a.mem is torn";
    EXPECT_THAT(plan_from_xml(full, {}, facts).warnings,
                ElementsAre("the memory is stored whole: /vm/a.mem is torn"));
    CreateOptions whole;
    whole.full = true;
    EXPECT_THAT(plan_from_xml(full, whole, facts).warnings, IsEmpty());
}

TEST(CreateOnAParent, NeedsRoomOnlyForWhatDiffers) {
    auto facts = test_facts(model::SnapshotState::running);
    facts.free_space["/vm"] = 10 << 20;
    EXPECT_THROW(plan_from_xml(full, {}, facts), Error);
    facts.parent_image = "/vm/a.mem";
    EXPECT_NO_THROW(plan_from_xml(full, {}, facts));
}

} // namespace

} // namespace domsnap::plan
