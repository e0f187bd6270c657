// What strikes a process at its n-th effect: its own death, QEMU's, a power failure, a full or broken disk,
// an answer that never comes. It is the watcher of src/os/effect.h.
#pragma once

#include "os/effect.h"
#include "power.h"
#include "world.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace crash {

enum class Fault {
    none,        ///< counts only
    kill,        ///< the process, before the effect
    kill_all,    ///< it, QEMU and the capture: the host's memory is gone, its disks are whole
    kill_qemu,   ///< QEMU alone
    kill_reader, ///< the capture alone
    power,       ///< all, and whatever was not synced
    half_power,  ///< all, and the content that was not synced, while names are as they were
    full,        ///< from here on no write finds room
    broken,      ///< this one call fails with EIO
    silent,      ///< QEMU does what this command says and never answers
    late,        ///< … and answers when the deadline has passed
    reader,      ///< somebody looks at everything just then, and must see something whole
    writer       ///< another command on the same domain begins, and has to wait
};
const char* name_of(Fault fault);
const std::vector<Fault>& all_faults();

class Strike : public domsnap::os::EffectWatcher {
  public:
    /// count: shared with the parent, which sees how far it came.
    Strike(const World& world, Fault fault, uint32_t at, uint32_t* count);
    /// What a reader and a writer do. The writer is a process of its own: its pid goes to the parent.
    std::function<void()> look, begin_another;
    int before(const domsnap::os::Effect& effect) override;
    void after(const domsnap::os::Effect& effect) override;
    bool is_left_out(const domsnap::os::Effect& effect) const override;

  protected:
    std::recursive_mutex one_at_a_time_; ///< some steps work in two threads
    std::atomic<bool> striking_ = false; ///< threads of what it does then are not waited for, nor watched

  private:
    int strike(const domsnap::os::Effect& effect);
    [[noreturn]] void die();

    const World& world_;
    Fault fault_;
    uint32_t at_;
    uint32_t* count_;
    Power power_;
    bool inside_ = false;  ///< what we do ourselves is not watched
    bool waiting_ = false; ///< for an effect of the kind that the fault concerns
    bool full_ = false, told_qemu_ = false;
};

} // namespace crash
