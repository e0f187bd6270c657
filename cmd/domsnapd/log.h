// Lines for the journal, or for whoever reads stderr.
#pragma once

#include "rpc/service.h"

#include <string>

namespace domsnap::server {

class Log {
  public:
    explicit Log(bool verbose);
    /// One line, from any thread. debug only when verbose.
    void operator()(rpc::Level level, const std::string& line) const;

  private:
    bool verbose_, journal_;
};

} // namespace domsnap::server
