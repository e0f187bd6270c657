#include "rpc/pools.h"

#include "rpc/failure.h"

#include <gmock/gmock.h>

namespace domsnap::rpc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names(const Pools& pools) {
    std::vector<std::string> all;
    for (const auto& pool : pools.all())
        all.push_back(pool.name);
    return all;
}

std::string of(const std::string& name, const std::string& folder) {
    return "<pool type='dir'><name>" + name + "</name><target><path>" + folder + "</path></target></pool>";
}

TEST(Pools, FollowWhatIsConfigured) {
    Pools pools;
    pools.keep_up({{"default", "/vm"}, {"fast", "/nvme"}});
    EXPECT_THAT(names(pools), ElementsAre("default", "fast"));
    EXPECT_TRUE(pools.get("default").active);
    const auto uuid = pools.get("default").uuid;
    EXPECT_EQ(uuid.size(), 36u);
    pools.set_active("default", false);
    pools.keep_up({{"default", "/elsewhere"}});
    EXPECT_THAT(names(pools), ElementsAre("default"));
    EXPECT_FALSE(pools.get("default").active); // as somebody left it
    EXPECT_EQ(pools.get("default").folder, "/elsewhere");
    EXPECT_EQ(pools.get("default").uuid, uuid);
    EXPECT_THROW(pools.get("fast"), Refusal);
}

TEST(Pools, ThatClientsMadeStay) {
    Pools pools;
    EXPECT_EQ(pools.define(of("mine", "/vm/")).folder, "/vm"); // its volumes are found by their paths
    pools.keep_up({{"default", "/images"}});
    pools.keep_up({});
    EXPECT_THAT(names(pools), ElementsAre("mine"));
    EXPECT_FALSE(pools.get("mine").active);
    EXPECT_THROW(pools.define(of("mine", "/other")), Error);
    EXPECT_NO_THROW(pools.define(of("mine", "/vm")));
    pools.forget("mine");
    EXPECT_THAT(names(pools), ElementsAre());
}

TEST(Pools, ThatAreConfiguredAreForgottenInTheirFile) {
    Pools pools;
    pools.keep_up({{"default", "/vm"}});
    try {
        pools.forget("default");
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("'default' is configured"));
    }
    EXPECT_THROW(pools.define("<pool type='logical'><name>x</name></pool>"), Error);
    EXPECT_THROW(pools.define(of("x", "relative")), Error);
    EXPECT_THROW(pools.define(of("", "/vm")), Error);
}

} // namespace
} // namespace domsnap::rpc
