// A small world in a scratch folder: images, a state folder, run-time files, and the fake QEMU that may run
// in it. It can be put back to what it was, with the very same files (inodes), as often as there are crash
// points.
#pragma once

#include <domsnap/host.h>

#include <ctime>
#include <map>
#include <string>
#include <vector>

namespace crash {

/// What a domain has besides disks, as text of its document.
struct Machine {
    std::string os, devices; ///< inside of <os>, inside of <devices>
};

class World {
  public:
    World();
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    const std::string& path() const { return path_; }
    domsnap::Folders folders() const { return {path_ + "/state", path_ + "/run"}; }
    std::string image(const std::string& name) const { return path_ + "/images/" + name; }
    /// What shall go wrong in the fake QEMU, a fault a line.
    std::string faults() const { return path_ + "/faults"; }

    void make_image(const std::string& name, const std::string& format = "qcow2") const;
    /// A domain with these disks; returns its document.
    std::string document(const std::string& name, const std::map<std::string, std::string>& disks,
                         const Machine& machine = {}) const;
    /// As the guest, or as whoever has the image: blocks of 4 KiB become that letter.
    void write(const std::string& path, const std::string& format, unsigned block, char letter) const;

    /// Ends every process of this world and waits until they are gone.
    void end_processes() const;
    /// Ends all processes and remembers every file, but the run-time ones.
    void remember();
    void put_back() const;

  private:
    struct Kept {
        std::string name;    ///< relative to the world
        std::string link;    ///< a second name of the same inode
        std::string content; ///< of a file
        timespec modified{}; ///< the ledger knows a frozen file by it
        bool is_folder = false;
    };
    std::string path_, links_;
    std::vector<Kept> kept_;
};

/// Kills the processes whose command line names that folder, but this one.
void kill_processes_naming(const std::string& folder, const std::string& program);

/// Says that an open file was last written then.
void set_modified(int fd, const timespec& modified);

} // namespace crash
