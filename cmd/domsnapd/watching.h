// A thread that hears of what happens to the domains and tells those who listen.
#pragma once

#include "rpc/service.h"

#include <domsnap/watch.h>
#include <thread>

namespace domsnap::server {

class Watching {
  public:
    explicit Watching(rpc::Service& service);
    ~Watching();
    Watching(const Watching&) = delete;
    Watching& operator=(const Watching&) = delete;

  private:
    void live();

    rpc::Service& service_;
    Watch watch_;
    std::thread thread_; ///< last: it uses the others
};

} // namespace domsnap::server
