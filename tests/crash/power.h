// What a power failure takes back: every change since the file, or the folder, was last synced. It keeps the
// old content and the old names, as LevelDB's fault-injection test does, and puts them back. What QEMU and
// qemu-img write to images counts as written by whoever ran them, until the image is synced; QEMU's own
// writes are taken for durable, since it syncs before it reports a job's end.
#pragma once

#include "os/effect.h"
#include "os/fd.h"
#include "world.h"

#include <string>
#include <variant>
#include <vector>

namespace crash {

class Power {
  public:
    explicit Power(const World& world) : world_(world) {}
    void before(const domsnap::os::Effect& effect);
    void after(const domsnap::os::Effect& effect);
    /// names_too: else only content is lost.
    void fail(bool names_too);

  private:
    struct Content {
        domsnap::os::Fd file;
        uint64_t inode;
        std::string bytes;
        timespec modified; ///< the ledger knows a frozen file by it
        bool perhaps = false; ///< a program was run that may change it
    };
    struct Name {
        domsnap::os::Effect effect;
        std::string folder;
        std::string saved; ///< a second name of what was replaced or removed; "" if there was nothing
    };
    void save_content(const std::string& path, bool perhaps);
    void forget_unchanged();
    void prepare_name(const domsnap::os::Effect& effect, const std::string& replaced);
    void save_images();
    void forget_content(int fd);
    static void put_back(const Name& name);

    const World& world_;
    std::vector<std::variant<Content, Name>> changes_;
    std::vector<Name> prepared_; ///< of the call that is under way; it may fail
    unsigned saved_ = 0;
};

} // namespace crash
