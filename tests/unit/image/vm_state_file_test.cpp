// The file with nothing but a VM state in it, as qemu-img and our own reader see it.
#include "image/vm_state_file.h"

#include "image/vm_state.h"
#include "images.h"

#include <gtest/gtest.h>

namespace domsnap::image {
namespace {

std::string some_state(size_t size) {
    std::string state(size, '\0');
    for (size_t i = 0; i < size; ++i)
        state[i] = static_cast<char>(i * 7 + i / 4096);
    return state;
}

std::string state_in(const std::string& path, const std::string& out) {
    {
        const auto file = os::create_exclusive(out);
        write_vm_state(path, "tag", file.get(), {});
    }
    return os::read_file(out, 1 << 30);
}

class VmStateFile : public testing::TestWithParam<size_t> {
  protected:
    Scratch scratch;
    std::string path = scratch / "state.qcow2";
};

TEST_P(VmStateFile, HoldsTheStateAndIsSound) {
    const auto state = some_state(GetParam());
    write_vm_state_file(path, "tag", state);
    const auto about = info(path, "qcow2");
    ASSERT_EQ(about.snapshots.size(), 1U);
    EXPECT_EQ(about.snapshots[0].tag, "tag");
    EXPECT_EQ(about.snapshots[0].vm_state_size, state.size());
    EXPECT_EQ(about.virtual_size, 64U << 10);
    EXPECT_TRUE(state_in(path, scratch / "out") == state);
    const auto checked = check(path, "qcow2");
    EXPECT_TRUE(checked.clean) << checked.words;
    EXPECT_EQ(os::file_info(path)->mode, 0600U);
}

// One byte, whole clusters, and more than one refcount block's worth would need (2 GiB is too much for a
// test).
INSTANTIATE_TEST_SUITE_P(Sizes, VmStateFile, testing::Values(1, 65'536, 131'072, 3'000'001, 40 << 20));

TEST(NewVmStateFile, IsNeverWrittenOverAnother) {
    const Scratch scratch;
    write_vm_state_file(scratch / "f", "tag", "state");
    EXPECT_THROW(write_vm_state_file(scratch / "f", "tag", "other"), Error);
    EXPECT_EQ(vm_state_size(scratch / "f", "tag"), 5U);
}

} // namespace
} // namespace domsnap::image
