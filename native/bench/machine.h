// What a benchmark says of the machine that it ran on.
#pragma once

#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

namespace lutnn {

/// The processor as the system calls it, and how many of it there are.
inline std::string machineName() {
  std::ifstream file("/proc/cpuinfo");
  std::string line, name = "a processor without a name here";
  while (std::getline(file, line))
    if (line.rfind("model name", 0) == 0) {
      name = line.substr(line.find(':') + 2);
      break;
    }
  char text[200];  // what is longer is cut
  std::snprintf(text, sizeof text, "%s, %u processors", name.c_str(), std::thread::hardware_concurrency());
  return text;
}

}  // namespace lutnn
