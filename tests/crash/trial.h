// One trial: a verb in its world, struck at its n-th effect, perhaps struck again in the recovery, recovered,
// and judged. The world must be the old or the new one.
#pragma once

#include "os/process.h"
#include "picture.h"
#include "scenario.h"
#include "strike.h"

#include <optional>

namespace crash {

struct Blow {
    Fault fault = Fault::none;
    uint32_t at = 0; ///< number of the effect, from 1
};

struct Verdict {
    enum class World { old, fresh, wrong } world = World::wrong;
    std::string why;                            ///< wrong: what was seen
    uint32_t effects = 0, recovery_effects = 0; ///< how many there were until its end
    bool struck = false, struck_again = false;  ///< false: it was over before
};

class Trials {
  public:
    /// Makes the scenario's world, and runs it once unharmed to know the new one. Throws if that fails.
    explicit Trials(const Scenario& scenario);
    Verdict run(Blow first, std::optional<Blow> second = {});
    uint32_t effects() const { return effects_; }
    /// The number of QMP commands among them, and so on: which effects a fault concerns.
    const std::vector<domsnap::os::Effect::Kind>& kinds() const { return kinds_; }
    World& world() { return world_; }
    domsnap::Host& host() { return host_; }
    void put_back();

    /// Runs the body in a process of its own, struck so; 0: done, 1: it threw (words: what), 2: it was
    /// killed, 3: it hung.
    struct Ended {
        int how = 0;
        std::string words;
        uint32_t effects = 0;
    };
    Ended in_child(const Blow& blow, const std::function<void(std::string& words)>& body);

  private:
    bool create_another();
    Ended verb(const Blow& blow);
    Ended recover(const Blow& blow);
    void repair();
    Verdict judge_both(const Ended& ended, int how_the_other_ended);
    std::vector<domsnap::os::ProcessId> running_guests();
    Verdict judge(const Ended& ended, const std::string& said, const Blow& first,
                  const std::optional<Blow>& second);
    Verdict judge_again(Verdict verdict);

    Scenario scenario_;
    World world_;
    domsnap::Host host_;
    Picture old_, new_;
    std::optional<Picture> between_;                 ///< of a verb that is two
    std::vector<domsnap::os::ProcessId> ran_before_; ///< QEMUs whose guests ran when the verb began
    uint32_t effects_ = 0;
    std::vector<domsnap::os::Effect::Kind> kinds_;
};

/// Goes back to each snapshot that is listed: what the disks hold must be what the snapshot holds. Words for
/// what is wrong.
std::string revert_to_each(Trials& trials);

} // namespace crash
