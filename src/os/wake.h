// Ends the wait of another thread: a descriptor that is readable once somebody has set it.
#pragma once

#include "os/fd.h"

namespace domsnap::os {

class Wake {
  public:
    Wake();
    void set() const; ///< from any thread; stays so
    void clear() const;
    int fd() const { return fd_.get(); }

  private:
    Fd fd_;
};

} // namespace domsnap::os
