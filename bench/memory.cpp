// How fast the inside of a capture and of a restore is, without QEMU: parsing, checksums, image to stream.
#include "memory/capture.h"
#include "memory/image_format.h"
#include "memory/image_writer.h"
#include "memory/page_run.h"

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>

namespace domsnap::memory {
namespace {

constexpr uint64_t pages = 16384; // 64 MiB

std::string memory_path(const os::Fd& file) { return "/proc/self/fd/" + std::to_string(file.get()); }

/// An image of `pages` pages of data in a memfd, so that no disk is measured.
os::Fd image_in_memory() {
    os::Fd file(::memfd_create("image", MFD_CLOEXEC));
    const std::string path = memory_path(file);
    ImageWriter writer(file, path);
    writer.begin(2, {{"pc.ram", pages * page_size}});
    std::string page(page_size, 'x');
    for (uint64_t i = 0; i < pages; ++i) {
        page.replace(0, 8, reinterpret_cast<const char*>(&i), 8);
        const PageRecord record{i * page_size, reinterpret_cast<const uint8_t*>(page.data()), 0};
        writer.put({&record, 1});
    }
    const std::string header("QEVM\0\0\0\3\7\0\0\0\2pc", 15);
    writer.finish({header, "", "{}", {}});
    return file;
}

/// The same as a migration stream.
os::Fd stream_in_memory() {
    const os::Fd image = image_in_memory();
    os::Fd stream(::memfd_create("stream", MFD_CLOEXEC));
    write_stream(ImageReader::open(memory_path(image)), stream.get(), {});
    return stream;
}

void set_rate(benchmark::State& state) {
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(pages * page_size));
}

void parse(benchmark::State& state) {
    const os::Fd stream = stream_in_memory();
    for (auto _ : state) {
        ::lseek(stream.get(), 0, SEEK_SET);
        ReadAhead source(stream.get());
        StreamParser parser(source);
        uint64_t seen = 0;
        while (parser.next() != StreamParser::Event::end)
            seen += parser.pages().size();
        benchmark::DoNotOptimize(seen);
    }
    set_rate(state);
}
BENCHMARK(parse)->UseRealTime();

void capture(benchmark::State& state) {
    const os::Fd stream = stream_in_memory(), image(::memfd_create("image", MFD_CLOEXEC));
    for (auto _ : state) {
        ::lseek(stream.get(), 0, SEEK_SET);
        if (!capture_stream(stream.get(), image, memory_path(image), {}, {}).complete)
            state.SkipWithError("not whole");
    }
    set_rate(state);
}
BENCHMARK(capture)->UseRealTime();

void open_image(benchmark::State& state) {
    const os::Fd image = image_in_memory();
    for (auto _ : state)
        benchmark::DoNotOptimize(ImageReader::open(memory_path(image)).data_pages());
}
BENCHMARK(open_image);

void verify(benchmark::State& state) {
    const os::Fd image = image_in_memory();
    const ImageReader reader = ImageReader::open(memory_path(image));
    for (auto _ : state)
        verify_pages(reader);
    set_rate(state);
}
BENCHMARK(verify);

void image_to_stream(benchmark::State& state) {
    const os::Fd image = image_in_memory(), stream(::memfd_create("stream", MFD_CLOEXEC));
    const ImageReader reader = ImageReader::open(memory_path(image));
    for (auto _ : state) {
        ::lseek(stream.get(), 0, SEEK_SET);
        write_stream(reader, stream.get(), {});
    }
    set_rate(state);
}
BENCHMARK(image_to_stream);

} // namespace
} // namespace domsnap::memory

BENCHMARK_MAIN();
