// One QMP monitor: where clients come from, the one that is served, and the messages of both directions. What
// a command means is decided elsewhere.
#pragma once

#include "options.h"
#include "os/fd.h"
#include "qmp/codec.h"

#include <functional>
#include <list>
#include <optional>

namespace fake {

class Monitor {
  public:
    /// From -chardev: socket (fd= or path=, a listening or a connected one) or pipe (PATH.in and PATH.out).
    Monitor(const Properties& chardev, const Json& version);
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;
    ~Monitor();

    /// What poll(2) shall watch now: the client, or the door when nobody is inside; -1 if nobody can come.
    int poll_fd() const;
    /// Something happened there. Each line that came is given to execute.
    void serve(const std::function<void(const std::string&)>& execute);
    void send(const Json& message);

    bool negotiated = false;
    std::list<domsnap::os::Fd> received; ///< descriptors that came and that no getfd has taken yet

  private:
    void greet();
    void read_client();
    void hang_up();

    Json version_;
    domsnap::os::Fd door_, client_, output_; ///< output_ only where it is another file than client_ (pipe)
    domsnap::qmp::LineFramer framer_;
};

} // namespace fake
