// One console of a device at a time; by force the next one.
#include "rpc/consoles.h"
#include "rpc/failure.h"

#include <gtest/gtest.h>

namespace domsnap::rpc::test {
namespace {

struct FakeStream : Stream {
    void take(std::string_view) override {}
    void end() override { over = true; }
    bool is_over() const override { return over; }
    bool over = false;
};

TEST(Consoles, OneAtATime) {
    Consoles consoles;
    const auto make = [] { return std::make_shared<FakeStream>(); };
    const auto first = consoles.open("/dev/pts/1", false, make);
    const auto elsewhere = consoles.open("/dev/pts/2", false, make);
    EXPECT_THROW(consoles.open("/dev/pts/1", false, make), Refusal);
    const auto second = consoles.open("/dev/pts/1", true, make);
    EXPECT_TRUE(first->is_over());
    EXPECT_FALSE(elsewhere->is_over());
    EXPECT_THROW(consoles.open("/dev/pts/1", false, make), Refusal);
    second->end();
    auto third = consoles.open("/dev/pts/1", false, make);
    third.reset(); // its client has gone
    EXPECT_TRUE(consoles.open("/dev/pts/1", false, make));
}

TEST(Consoles, OneThatCannotBeOpenedIsNotKept) {
    Consoles consoles;
    EXPECT_THROW(consoles.open("/dev/pts/1", false,
                               []() -> std::shared_ptr<Stream> { throw std::runtime_error("no"); }),
                 std::runtime_error);
    EXPECT_TRUE(consoles.open("/dev/pts/1", false, [] { return std::make_shared<FakeStream>(); }));
}

} // namespace
} // namespace domsnap::rpc::test
