// The document of a fork: the snapshot's machine under another identity, with nothing in it that two QEMUs
// would fight over. What the machine is made of stays: the saved device state fits no other.
#pragma once

#include "model/domain.h"

#include <map>
#include <string>
#include <vector>

namespace domsnap::plan {

/// Who the fork is; every part is used by nobody else.
struct ForkIdentity {
    std::string name, uuid, genid;
    std::string firmware_folder;   ///< its own
    std::vector<std::string> macs; ///< as many as the machine has interfaces, at least
};

class ForkDocument {
  public:
    explicit ForkDocument(const ForkIdentity& identity) : identity_(identity) {}

    /// Throws unsupported naming the device that cannot be there twice.
    void rewrite(model::Domain& domain);
    /// What became different and might be missed, a line each.
    const std::vector<std::string>& remarks() const { return remarks_; }

  private:
    void rewrite_devices(model::Element& devices);
    void rewrite_interface(model::Element& interface, size_t number);
    void rewrite_display(model::Element& graphics);
    void rewrite_character_device(model::Element& device);
    void remark(std::string line);

    const ForkIdentity& identity_;
    std::map<std::string, std::string> macs_; ///< by the old one: the same in both documents of a domain
    std::vector<std::string> remarks_;
};

} // namespace domsnap::plan
