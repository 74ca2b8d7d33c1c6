# pw_npm(dir stamp): packages of a folder with a package-lock.json, installed when the lock changed.
# <stamp> is set to a file to depend on. Build folders share dir/node_modules.
find_program(PW_NODE NAMES node nodejs)
find_program(PW_NPM npm)

function(pw_npm dir stamp)
  string(MAKE_C_IDENTIFIER "${dir}" name)
  set(file ${CMAKE_BINARY_DIR}/npm/${name})
  add_custom_command(OUTPUT ${file}
    COMMAND ${CMAKE_COMMAND} -DDIR=${dir} -DNPM=${PW_NPM} -DSTAMP=${file} -P ${CMAKE_SOURCE_DIR}/cmake/npm_ci.cmake
    DEPENDS ${dir}/package.json ${dir}/package-lock.json ${CMAKE_SOURCE_DIR}/cmake/npm_ci.cmake
    COMMENT "npm packages of ${dir}" VERBATIM)
  set(${stamp} ${file} PARENT_SCOPE)
endfunction()
