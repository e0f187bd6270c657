// The numbers by which libvirt's clients know what went wrong.
#include "rpc/failure.h"

#include <gtest/gtest.h>

namespace domsnap::rpc {
namespace {

int32_t code_of(ErrorCode code, const std::string& words) { return remote_error(Error(code, words)).code; }

TEST(Failure, ByWhatTheCallerCanDo) {
    EXPECT_EQ(code_of(ErrorCode::conflict, "Requested operation is not valid: domain is not running"), 55);
    EXPECT_EQ(code_of(ErrorCode::cancelled, "snapshot-create of 's' was cancelled"), 78);
    EXPECT_EQ(code_of(ErrorCode::busy, "x"), 68);
    EXPECT_EQ(code_of(ErrorCode::io, "x"), 38);
    EXPECT_EQ(code_of(ErrorCode::unsupported, "x"), 84);
    EXPECT_EQ(code_of(ErrorCode::corrupt, "x"), 1);
    EXPECT_EQ(code_of(ErrorCode::refused_by_qemu, "x"), 9);
}

TEST(Failure, ByLibvirtsOwnWords) {
    EXPECT_EQ(code_of(ErrorCode::not_found, "failed to get domain 'x'"), 42);
    EXPECT_EQ(code_of(ErrorCode::not_found, "Domain snapshot not found: no domain snapshot"), 72);
    EXPECT_EQ(code_of(ErrorCode::invalid_request, "XML error: missing name"), 27);
    EXPECT_EQ(code_of(ErrorCode::invalid_request, "unsupported configuration: x"), 67);
    EXPECT_EQ(code_of(ErrorCode::conflict, "operation failed: domain 'x' already exists"), 9);
}

TEST(Failure, KeepsTheHint) {
    const auto error = remote_error(Error(ErrorCode::conflict, "it runs", "domsnap destroy g"));
    EXPECT_EQ(error.message, "it runs\nhint: domsnap destroy g");
    EXPECT_EQ(error.str2, error.message);
    EXPECT_EQ(error.level, 2);
}

TEST(Failure, Flags) {
    EXPECT_NO_THROW(check_flags(3, 3, "domain_create"));
    EXPECT_THROW(check_flags(4, 3, "domain_create"), Refusal);
}

} // namespace
} // namespace domsnap::rpc
