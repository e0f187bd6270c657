// Whatever happens to a domain, in whatever order: every snapshot, the guest and other domains keep their
// content bit for bit, plans are taken back without a trace, and no file stays that nothing needs.
#ifdef HAVE_RAPIDCHECK

#include "tree_model.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>
#include <rapidcheck.h>

namespace domsnap::plan {

namespace {

struct Event {
    unsigned kind, what, how, undo;
};

std::ostream& operator<<(std::ostream& out, const Event& e) {
    return out << fmt::format("{{{}, {}, {}, {}}}", e.kind, e.what, e.how, e.undo);
}

rc::Gen<Event> any_event() {
    return rc::gen::construct<Event>(rc::gen::inRange(0u, 20u), rc::gen::inRange(0u, 1000u),
                                     rc::gen::inRange(0u, 4096u), rc::gen::inRange(0u, 30u));
}

/// how: two bits for each disk, two for the memory.
std::string request_of(const TreeModel& model, unsigned how) {
    static constexpr const char* kinds[] = {"", "no", "internal", "external"};
    std::string disks;
    for (const auto& target : model.targets()) {
        if (how % 4) disks += fmt::format("<disk name='{}' snapshot='{}'/>", target, kinds[how % 4]);
        how /= 4;
    }
    const std::string memory = how % 4 ? fmt::format("<memory snapshot='{}'/>", kinds[how % 4]) : "";
    return memory + (disks.empty() ? "" : "<disks>" + disks + "</disks>");
}

void happen(TreeModel& model, const Event& event) {
    if (event.kind < 7) {
        model.create(request_of(model, event.how), event.what % 2 == 1, event.undo);
    } else if (event.kind < 11) {
        model.write(event.what, event.how);
    } else if (event.kind < 14) {
        RevertOptions options;
        options.running = event.how % 3 == 1;
        options.paused = event.how % 3 == 2;
        options.new_process = event.how % 4 == 0;
        model.revert(event.what, options, event.undo);
    } else if (event.kind < 18) {
        DeleteOptions options;
        options.children = event.how % 8 == 6;
        options.children_only = event.how % 8 == 7;
        model.remove(event.what, options);
    } else if (event.kind == 18) {
        model.start_or_stop();
    } else if (event.what % 4 == 0) {
        model.share(event.what);
    }
}

std::vector<DiskKind> any_disks() {
    std::vector<DiskKind> disks;
    for (auto i = *rc::gen::inRange(1, 4); i > 0; --i)
        disks.push_back(
            {*rc::gen::weightedElement<bool>({{3, true}, {1, false}}), *rc::gen::arbitrary<bool>()});
    return disks;
}

} // namespace

TEST(PlanProperty, EverySnapshotKeepsItsContent) {
    EXPECT_TRUE(rc::check([] {
        TreeModel model(any_disks());
        for (const auto& event : *rc::gen::resize(80, rc::gen::container<std::vector<Event>>(any_event()))) {
            happen(model, event);
            RC_ASSERT(model.check() == "");
        }
    }));
}

TEST(PlanTree, AFileThatOnlyHeldMemoryOfADiskGoesWithIt) {
    TreeModel model({{true, false}});
    model.start_or_stop();
    model.create("<disks><disk name='vda' snapshot='external'/></disks>", true, 0);
    model.create("<memory snapshot='internal'/><disks><disk name='vda' snapshot='no'/></disks>", false, 0);
    ASSERT_EQ(model.size(), 2u);
    model.revert(0, {}, 0);
    EXPECT_EQ(model.check(), "");
    model.remove(1, {});
    EXPECT_EQ(model.check(), "");
}

/// The tree grows to 200 snapshots, and is then taken apart.
TEST(PlanProperty, ATreeOfTwoHundredSnapshotsIsTakenApart) {
    std::mt19937 random(20); // NOLINT: the same tree each time
    const auto any = [&] { return static_cast<unsigned>(random()); };
    TreeModel model({{true, true}});
    while (model.size() < 200) {
        model.create(request_of(model, any() % 64), any() % 2 == 1, any());
        model.write(any(), any());
        if (any() % 4 == 0) model.revert(any(), {}, any());
        if (any() % 16 == 0) model.start_or_stop();
    }
    EXPECT_EQ(model.check(), "");
    while (model.size() > 0) {
        model.remove(any(), {});
        if (model.size() % 25 == 0) {
            EXPECT_EQ(model.check(), "") << model.size() << " are left";
        }
    }
    EXPECT_EQ(model.check(), "");
    EXPECT_GT(model.merges_down(), 0u);
    EXPECT_GT(model.merges_up(), 0u);
    EXPECT_GT(model.reverts_in_place(), 0u);
}

} // namespace domsnap::plan

#endif
