// What a network is on this host: from the file, into the document, into the command line.
#include "../os/scratch.h"
#include "documents.h"
#include "machine/networks.h"

#include <gtest/gtest.h>

namespace domsnap::machine::test {
namespace {

class Networks : public testing::Test {
  protected:
    void say(const std::string& lines) { os::write_file(scratch / "networks", lines); }
    model::Domain resolved(const std::string& network, Purpose purpose = Purpose::boot) {
        return with_networks(
            domain_of(document(fmt::format("<interface type='network'><mac address='52:54:00:00:00:01'/>"
                                           "<source network='{}' bridge='of-old'/></interface>",
                                           network))),
            scratch / "networks", purpose);
    }
    static const model::Element& interface(const model::Domain& domain) {
        return *domain.document.at("devices/interface");
    }
    Scratch scratch;
};

TEST_F(Networks, ABridgeStandsBesideTheNetworksName) {
    say("# of this host\n\n  lab  br7 \nwith blanks in it\tbr8\ndefault user\n");
    for (const auto purpose : {Purpose::boot, Purpose::memory}) {
        const auto domain = resolved("lab", purpose);
        EXPECT_EQ(interface(domain).attribute("type"), "network");
        EXPECT_EQ(interface(domain).child("source")->attribute("bridge"), "br7");
        EXPECT_EQ(bridges_of(domain), std::vector<std::string>{"br7"});
    }
    EXPECT_EQ(bridges_of(resolved("with blanks in it")), std::vector<std::string>{"br8"});
}

TEST_F(Networks, QemusOwnIsAnInterfaceOfItsType) {
    say("default user\n");
    const auto domain = resolved("default");
    EXPECT_EQ(interface(domain).attribute("type"), "user");
    EXPECT_FALSE(interface(domain).child("source"));
    EXPECT_TRUE(interface(domain).child("mac"));
    EXPECT_TRUE(bridges_of(domain).empty());
    EXPECT_EQ(value_of(command_line(domain, golden_facts("", 7)), "-netdev"), "user,id=hostnet0");
}

TEST_F(Networks, MemoryOfABridgeIsNotPutOntoQemusOwn) {
    say("default user\n");
    const auto error = error_of(ErrorCode::unsupported, [&] { resolved("default", Purpose::memory); });
    EXPECT_NE(std::string(error.what()).find("<source network='default'> at line 4"), std::string::npos)
        << error.what();
    EXPECT_NE(error.hint().find(scratch / "networks"), std::string::npos) << error.hint();
}

TEST_F(Networks, OthersAreRefusedWithWhereToSayIt) {
    const auto error = error_of(ErrorCode::unsupported, [&] { resolved("elsewhere"); });
    EXPECT_NE(error.hint().find("'elsewhere BRIDGE'"), std::string::npos) << error.hint();
    error_of(ErrorCode::unsupported, [&] { resolved(""); });
    say("default user\nalone\n");
    const auto line = error_of(ErrorCode::invalid_request, [&] { resolved("default"); });
    EXPECT_NE(std::string(line.what()).find("networks, line 2: 'alone'"), std::string::npos) << line.what();
}

TEST_F(Networks, AFileThatNobodyNeedsIsNotRead) {
    say("garbage\n");
    const auto plain = domain_of(document("<interface type='user'/>"));
    EXPECT_TRUE(model::same_content(with_networks(plain, scratch / "networks", Purpose::boot).document,
                                    plain.document));
}

TEST_F(Networks, EachBridgeHasADescriptorOfItsOwn) {
    auto facts = golden_facts("", 7);
    facts.tap_fds = {11, 12};
    const auto domain = domain_of(
        document("<interface type='bridge'><source bridge='br0'/></interface><interface type='user'/>"
                 "<interface type='network'><source network='n' bridge='br1' portid='x'/></interface>"));
    EXPECT_EQ(bridges_of(domain), (std::vector<std::string>{"br0", "br1"}));
    const std::vector<std::string> expected = {"tap,id=hostnet0,fd=11", "user,id=hostnet1",
                                               "tap,id=hostnet2,fd=12"};
    EXPECT_EQ(values_of(command_line(domain, facts), "-netdev"), expected);
    facts.trial = true;
    EXPECT_EQ(values_of(command_line(domain, facts), "-netdev", "user,").size(), 3U);
}

TEST_F(Networks, ABridgeThatIsNotThereIsNamed) {
    for (const auto* name : {"no-such-bridge", "a-name-longer-than-the-kernel-has-room-for"}) {
        const auto error = error_of(ErrorCode::unsupported, [&] {
            plug_in(domain_of(
                document(fmt::format("<interface type='bridge'><source bridge='{}'/></interface>", name))));
        });
        EXPECT_NE(std::string(error.what()).find(fmt::format("the bridge '{}'", name)), std::string::npos);
        EXPECT_NE(error.hint().find("<interface type='user'/>"), std::string::npos) << error.hint();
    }
}

} // namespace
} // namespace domsnap::machine::test
