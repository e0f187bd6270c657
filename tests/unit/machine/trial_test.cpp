// Real QEMU is asked whether it accepts what the goldens say; nothing of the host is touched by that.
#include "emulator.h"

#include <regex>

namespace domsnap::machine::test {
namespace {

/// 64 KiB with the header that QEMU's loader looks for in a Linux kernel (Documentation/arch/x86/boot.rst).
std::string kernel_like() {
    std::string image(64 << 10, '\0');
    image[0x1f1] = 1; // setup_sects
    image.replace(0x1fe, 2, "\x55\xaa");
    image.replace(0x202, 4, "HdrS");
    image[0x206] = 0x0c;
    image[0x207] = 0x02; // protocol 2.12
    image[0x211] = 0x01; // loaded high
    image.replace(0x22c, 4, "\xff\xff\xff\x7f");
    return image;
}

class Trial : public RealQemu, public testing::WithParamInterface<std::string> {
  protected:
    /// The golden with what a test host has: TCG instead of KVM, a kernel that exists, the machine types of
    /// both.
    model::Domain accepted_here() {
        auto text = std::regex_replace(golden_text(GetParam()), std::regex(R"(<domain type=(['"])kvm\1)"),
                                       "<domain type='qemu'");
        for (const auto* file : {"vmlinuz", "initrd.img"}) {
            os::write_file(scratch / file, kernel_like());
            text = std::regex_replace(text, std::regex(std::string("/srv/") + file), scratch / file);
        }
        return domain_of(text);
    }
};

TEST_P(Trial, QemuAcceptsTheGolden) {
    auto known = facts();
    known.virtual_sizes = {{"vda", 1 << 30}};
    EXPECT_NO_THROW(try_out(accepted_here(), known, scratch.path(), soon()));
    for (const auto& left : os::list_folder(scratch.path()))
        EXPECT_FALSE(left.ends_with(".log")) << left << " was left behind";
}

INSTANTIATE_TEST_SUITE_P(Documents, Trial, testing::ValuesIn(goldens()), [](const auto& parameter) {
    auto name = parameter.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

} // namespace
} // namespace domsnap::machine::test
