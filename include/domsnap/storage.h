// Folders with disk images, for clients that choose disks out of lists: what libvirt calls storage pools (of
// type dir) and their volumes. A volume is a file, and nothing is kept of it but the file.
#pragma once

#include <domsnap/host.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace domsnap {

struct FolderPool {
    std::string name, folder;
};
/// STATE/pools (docs/formats/store.md). Without that file "default" is libvirt's own folder for images, where
/// root has one. Throws invalid_request naming the line.
std::vector<FolderPool> configured_pools(const Folders& folders);

struct FolderSpace {
    uint64_t capacity = 0, available = 0; ///< bytes, of the file system
};
/// Throws not_found, io.
FolderSpace space_of_pool(const std::string& folder);
/// Makes the folder if it is not there.
void make_pool_folder(const std::string& folder);

struct Volume {
    std::string name, path, format;        ///< "raw" or "qcow2"
    uint64_t capacity = 0, allocation = 0; ///< bytes
    std::string backing, backing_format;   ///< "" = it rests on nothing
    bool known = false;                    ///< a domain or a record says the format
    bool alone = true;                     ///< it leads to no other file
    uint32_t mode = 0;
    int64_t modified = 0; ///< epoch seconds
};
/// The regular files in the folder but hidden ones, by name. The format of one that a domain has as a disk is
/// what the domain says, that of another what its first bytes say: clients are told it, and nothing is opened
/// by it.
std::vector<Volume> volumes(const Folders& folders, const std::string& pool_folder);
/// Nothing if the path (absolute) leads to no regular file.
std::optional<Volume> volume(const Folders& folders, const std::string& path);

struct NewVolume {
    std::string name, format;
    uint64_t capacity = 0; ///< bytes; 0 with a backing file: as large as that
    std::string backing, backing_format;
};
/// Throws conflict if there is such a file, or a domain writes to the backing file; invalid_request;
/// unsupported for a format that domsnap does not run. Nothing is left on failure.
Volume create_volume(const Folders& folders, const std::string& pool_folder, const NewVolume& wanted);
/// Throws conflict, naming who needs it: a domain's disk or what it rests on, a snapshot, a fork, whatever
/// domsnap made, or a file beside it that rests on it. not_found.
void delete_volume(const Folders& folders, const std::string& path);

} // namespace domsnap
