// SPDX-License-Identifier: BSD-3-Clause
// A C++ program with what the run-time library needs: streams, exceptions, threads, static objects.
#include <iostream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct Announcer {
    Announcer() { std::cout << "before main\n"; }
    ~Announcer() { std::cout << "after main\n"; }
};
static Announcer announcer;

int main() {
    std::map<std::string, int> words;
    std::mutex mutex;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&words, &mutex, i] {
            try {
                throw std::runtime_error("thread " + std::to_string(i));
            } catch (const std::exception& error) {
                const std::lock_guard<std::mutex> guard(mutex);
                words[error.what()] = i;
            }
        });
    for (std::thread& thread : threads) thread.join();
    for (const auto& [word, number] : words) std::cout << word << " = " << number << '\n';
    return words.size() == 4 ? 0 : 1;
}
