#include "os/keep_holes_out.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <linux/audit.h>
#include <linux/falloc.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace domsnap::os {

#if defined(__x86_64__)
static constexpr unsigned our_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
static constexpr unsigned our_architecture = AUDIT_ARCH_AARCH64;
#else
static constexpr unsigned our_architecture = 0; // none: every call is allowed
#endif

// Little endian: the low half of an argument comes first.
static constexpr unsigned mode_of_fallocate = offsetof(seccomp_data, args) + sizeof(__u64);
static constexpr unsigned takes_away = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE;

bool keep_holes_out() {
    std::array<sock_filter, 8> rules{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, our_architecture, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fallocate, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, mode_of_fallocate),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, takes_away, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog filter{static_cast<unsigned short>(rules.size()), rules.data()};
    // Else only root may set a filter; QEMU's own -sandbox sets it anyway.
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0;
}

} // namespace domsnap::os
