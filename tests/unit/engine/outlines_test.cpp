// Lists by the outlines of before are those that the records give, whatever happened since; and they open
// what changed.
#include "engine/session.h"
#include "records.h"
#include "store/outlines.h"
#include "store/records.h"

#include <gtest/gtest.h>
#include <random>
#include <set>

namespace domsnap {
namespace {

class OutlinedLists : public ::testing::Test {
  protected:
    static constexpr unsigned count = 80;

    void SetUp() override {
        folder.put_definition(domain_without_disks);
        for (unsigned i = 0; i < count; ++i)
            put(name(i), i ? name((i - 1) / 2) : "");
    }
    static std::string name(unsigned i) { return fmt::format("s{}", i); }
    void put(const std::string& snapshot, const std::string& parent) {
        os::write_file(folder.record_path(snapshot), store::wrap("record", record_of(snapshot, parent)));
    }
    std::string list() const {
        std::string all;
        for (const auto& one : host.snapshots("g"))
            all += fmt::format("{}<{} {} {} {} {}\n", one.name, one.parent, one.state, one.children,
                               one.descendants, one.creation_time);
        return all;
    }
    std::string list_without() const {
        os::remove_file_durably(path);
        return list();
    }
    /// As they will be once the records are older than a moment.
    std::string outlines_of_now() const {
        store::NewOutlines fresh;
        const store::Records records(folder);
        for (const auto& file : records.files()) {
            const auto read = records.read(file.name);
            fresh.add(file.name, read->stamp,
                      model::outline_of(engine::parse_record_head(read->document, file.name)), UINT64_MAX);
        }
        return fresh.text();
    }

    Hasty hasty;
    Scratch scratch;
    store::DomainFolder folder{scratch / "state", "g"};
    std::string path = folder.path() + "/outlines";
    Host host{{.state = scratch / "state", .runtime = scratch / "run"}};
};

TEST_F(OutlinedLists, open_only_what_changed) {
    Opens opens(folder.records_folder());
    const auto whole = list();
    EXPECT_EQ(opens.files(), count);
    os::write_file(path, outlines_of_now());
    opens.files();
    EXPECT_EQ(list(), whole);
    EXPECT_EQ(opens.files(), 0U);
    put("new", "s3");
    put("s7", "s0");
    folder.remove_record("s79");
    opens.files();
    const auto changed = list();
    EXPECT_EQ(opens.files(), 2U);
    EXPECT_EQ(changed, list_without());
}

TEST_F(OutlinedLists, are_right_by_the_outlines_of_any_time_before) {
    std::mt19937 random(1);
    const auto any = [&] { return name(static_cast<unsigned>(random() % (count + 10))); };
    std::vector<std::string> outlines;
    for (unsigned step = 0; step < 30; ++step) {
        outlines.push_back(outlines_of_now());
        const auto one = name(static_cast<unsigned>(1 + random() % (count + 9)));
        if (random() % 3 == 0)
            folder.remove_record(one);
        else
            put(one, "s0");
        if (random() % 4 == 0) put("other " + any(), "s0");
        const auto right = list_without();
        for (const auto& before : outlines) {
            os::write_file(path, before);
            ASSERT_EQ(list(), right) << "after step " << step;
        }
    }
}

TEST_F(OutlinedLists, notice_what_somebody_wrote_into_a_record_by_hand) {
    os::write_file(path, outlines_of_now());
    const auto record = os::open_read_write(folder.record_path("s5"));
    os::write_at(record.get(), "?", 1, 100, "by hand");
    error_of(ErrorCode::corrupt, [&] { list(); });
}

TEST_F(OutlinedLists, are_right_wherever_keeping_them_was_cut_short_or_failed) {
    class Failing : public Hasty {
      public:
        explicit Failing(unsigned at) : at_(at) {}
        int before(const os::Effect&) override { return ++effects >= at_ ? ENOSPC : 0; }
        unsigned effects = 0;

      private:
        unsigned at_;
    };
    const auto right = list_without();
    ASSERT_TRUE(os::exists(path));
    for (unsigned at = 1; at <= 4; ++at) {
        os::remove_file_durably(path);
        {
            Failing failing(at);
            EXPECT_EQ(list(), right);
            EXPECT_GE(failing.effects, 1U);
        }
        EXPECT_EQ(list(), right);
    }
    const auto whole = outlines_of_now();
    for (size_t cut = 0; cut < whole.size(); cut += 997) {
        os::write_file(path, whole.substr(0, cut));
        EXPECT_EQ(list(), right);
    }
    // A killed writer's file is in nobody's way, and goes with the next change.
    os::write_file(folder.path() + "/.domsnap-0123456789abcdef.tmp", whole);
    EXPECT_EQ(list(), right);
    host.set_snapshot_current("g", "s0");
    EXPECT_FALSE(os::exists(folder.path() + "/.domsnap-0123456789abcdef.tmp"));
}

} // namespace
} // namespace domsnap
