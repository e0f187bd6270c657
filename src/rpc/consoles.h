// Who has which console of a guest open. One at a time, as libvirt has it: two would share what the guest
// writes, or the second would wait for the first without a word.
#pragma once

#include "rpc/stream.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace domsnap::rpc {

class Consoles {
  public:
    /// What open() gives, unless somebody has that device: then that one is ended (force), or it is refused.
    std::shared_ptr<Stream> open(const std::string& device, bool force,
                                 const std::function<std::shared_ptr<Stream>()>& open);

  private:
    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<Stream>> open_; ///< by the device's path on this host
};

} // namespace domsnap::rpc
