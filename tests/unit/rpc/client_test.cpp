// A connection's rules: what may be asked when, and how it is refused.
#include "os/file.h"
#include "talk.h"

#include <cstddef>

extern "C" int fuzz_rpc(const uint8_t* data, size_t size);

namespace domsnap::rpc {
namespace {

using testing::Test;

const DomainRef vm{"vm", {1}, -1};

TEST(Client, MustOpenFirst) {
    Talk talk;
    const auto error = talk.refused("connect_list_all_domains", ListWanted{});
    EXPECT_EQ(error.code, 1);
    EXPECT_EQ(error.message, "internal error: connection not open");
    talk.open();
    EXPECT_EQ(talk.ok<BigNumber>("connect_get_lib_version", Nothing{}).value, 0u);
}

TEST(Client, KnownButNotHad) {
    Talk talk;
    talk.open();
    const auto error = talk.refused("domain_save", Nothing{});
    EXPECT_EQ(error.code, 3);
    EXPECT_EQ(error.message, "this function is not supported by the connection driver: virDomainSave");
}

TEST(Client, UnknownProcedure) {
    Talk talk;
    talk.open();
    for (const int32_t number : {-1, 0, 444, 2'000'000'000}) {
        const auto error = decode<RemoteError>(talk.raw(number, "").payload);
        EXPECT_EQ(error.code, 39) << number;
        EXPECT_EQ(error.domain, 7);
        EXPECT_EQ(error.level, 2);
        EXPECT_TRUE(error.message.value().starts_with("unknown procedure")) << "clients look for these words";
    }
    EXPECT_EQ(decode<RemoteError>(talk.raw(1, "", 17).payload).code, 39);
    EXPECT_EQ(decode<RemoteError>(talk.raw(99, "", program::qemu).payload).code, 39);
}

TEST(Client, ReadOnlyChangesNothing) {
    for (const bool by_socket : {true, false}) {
        Talk talk(by_socket);
        talk.open(by_socket ? 0 : 1);
        int refused = 0;
        for (int32_t number = 1; !procedure_name(number).empty(); ++number) {
            const auto* procedure = find_procedure(program::remote, number);
            if (!procedure || procedure->access != Access::write) continue;
            const auto error = decode<RemoteError>(talk.raw(number, "").payload);
            EXPECT_EQ(error.code, 29) << procedure->name;
            ++refused;
        }
        EXPECT_GT(refused, 20);
        EXPECT_EQ(decode<RemoteError>(talk.raw(1, "", program::qemu).payload).code, 29);
        constexpr uint32_t secure = 1;
        EXPECT_EQ(talk.refused("domain_get_xml_desc", DomainFlags{vm, secure}).code, 29);
        EXPECT_EQ(talk.refused("domain_snapshot_get_xml_desc", SnapshotFlags{{"s", vm}, secure}).code, 29);
    }
}

TEST(Client, WhatReadsByNameOnlyReads) {
    for (int32_t number = 1; !procedure_name(number).empty(); ++number) {
        const auto* procedure = find_procedure(program::remote, number);
        if (!procedure || procedure->access == Access::write) continue;
        for (const auto word :
             {"define_xml", "destroy", "_set_", "delete", "revert", "abort", "rename", "create"})
            EXPECT_EQ(procedure->name.find(word), procedure->name.npos) << procedure->name;
    }
}

TEST(Client, ReadOnlySocketStaysSo) {
    Talk talk(true);
    talk.open();
    EXPECT_TRUE(talk.client.read_only());
}

TEST(Client, ArgumentsThatAreNone) {
    Talk talk;
    talk.open();
    Frame call;
    call.header.procedure = procedure_number("domain_lookup_by_name");
    call.payload = "garbage";
    EXPECT_TRUE(talk.client.receive(call));
    EXPECT_THROW(talk.client.work(call), Malformed);
}

TEST(Client, OnlyCallsAndStreamPacketsComeIn) {
    Talk talk;
    for (const auto type : {Type::reply, Type::message, Type::call_with_fds}) {
        Frame frame;
        frame.header.type = static_cast<uint32_t>(type);
        EXPECT_THROW(talk.client.receive(frame), Malformed);
    }
    Frame stray;
    stray.header.type = static_cast<uint32_t>(Type::stream);
    EXPECT_FALSE(talk.client.receive(stray)) << "of a stream that has just ended";
    stray.header.type = static_cast<uint32_t>(Type::stream_hole);
    EXPECT_FALSE(talk.client.receive(stray)) << "the same";
}

TEST(Client, AnswersPings) {
    Talk talk;
    Frame ping;
    ping.header.program = program::keepalive;
    ping.header.procedure = 1;
    ping.header.type = static_cast<uint32_t>(Type::message);
    EXPECT_FALSE(talk.client.receive(ping));
    ASSERT_EQ(talk.outlet->frames.size(), 1u);
    EXPECT_EQ(talk.outlet->frames[0].header.procedure, 2);
    EXPECT_EQ(talk.outlet->frames[0].header.program, program::keepalive);
}

TEST(Client, Features) {
    Talk talk;
    EXPECT_EQ(talk.ok<Number>("connect_supports_feature", Number{14}).value, 1);
    EXPECT_EQ(talk.ok<Number>("connect_supports_feature", Number{15}).value, 1);
    EXPECT_EQ(talk.ok<Number>("connect_supports_feature", Number{8}).value, 0) << "no descriptors are passed";
    EXPECT_FALSE(talk.client.wants_keepalive());
    EXPECT_EQ(talk.ok<Number>("connect_supports_feature", Number{10}).value, 1);
    EXPECT_TRUE(talk.client.wants_keepalive());
}

TEST(Client, UnknownFlagsAreNamed) {
    Talk talk;
    talk.open();
    const auto error = talk.refused("domain_create_with_flags", DomainFlags{vm, 0x1000});
    EXPECT_EQ(error.code, 8);
    EXPECT_EQ(error.message,
              "invalid argument: unsupported flags (0x1000) in function virDomainCreateWithFlags");
}

TEST(Client, NoSuchDomain) {
    Talk talk;
    talk.open();
    const auto error = talk.refused("domain_lookup_by_name", Text{"nosuch"});
    EXPECT_EQ(error.code, 42);
    EXPECT_EQ(error.message, "Domain not found: no domain with matching name 'nosuch'");
    EXPECT_EQ(talk.refused("domain_suspend", OfDomain{vm}).code, 42);
}

TEST(Client, WhatIsNotThereIsEmpty) {
    Talk talk;
    talk.open();
    for (const auto* name :
         {"connect_list_all_networks", "connect_list_all_interfaces", "connect_list_all_secrets"})
        EXPECT_EQ(talk.call(name, ListWanted{1, 0}).payload, std::string(8, '\0')) << name;
    EXPECT_EQ(talk.refused("network_lookup_by_name", Text{"default"}).code, 43);
}

TEST(Client, Corpus) {
    const std::string folder = FUZZ_CORPUS;
    const auto names = os::list_folder(folder);
    EXPECT_GE(names.size(), 10u);
    for (const auto& name : names) {
        SCOPED_TRACE(name);
        const auto text = os::read_file(folder + "/" + name, 1 << 20);
        EXPECT_EQ(fuzz_rpc(reinterpret_cast<const uint8_t*>(text.data()), text.size()), 0);
    }
}

TEST(Names, AsLibvirtWritesThem) {
    EXPECT_EQ(procedure_number("connect_open"), 1);
    EXPECT_EQ(procedure_number("domain_snapshot_create_xml"), 185);
    EXPECT_EQ(procedure_number("domain_fd_associate"), 443);
    EXPECT_EQ(procedure_number("nonsense"), 0);
    EXPECT_EQ(function_name("domain_lookup_by_uuid"), "virDomainLookupByUUID");
    EXPECT_EQ(function_name("domain_snapshot_get_xml_desc"), "virDomainSnapshotGetXMLDesc");
}

} // namespace
} // namespace domsnap::rpc
