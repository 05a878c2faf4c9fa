export interface NginxOptions {
  readonly folder: string
  readonly port: number
  /** `git --exec-path` */
  readonly gitPrograms: string
  /** The variable PATH, for `git http-backend`. */
  readonly path: string
}

/** What an operator would write for speed, with nothing outside of the folder. */
export function nginxConfiguration({ folder, port, gitPrograms, path }: NginxOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const parameters: Readonly<Record<string, string>> = {
    SCRIPT_FILENAME: `${gitPrograms}/git-http-backend`,
    PATH_INFO: '$1',
    QUERY_STRING: '$query_string',
    REQUEST_METHOD: '$request_method',
    CONTENT_TYPE: '$content_type',
    CONTENT_LENGTH: '$content_length',
    GIT_PROTOCOL: '$http_git_protocol',
    GIT_PROJECT_ROOT: `${folder}/repositories`,
    GIT_HTTP_EXPORT_ALL: '1',
    // Nothing of the machine's own configuration.
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    HOME: `${folder}/home`,
    PATH: path,
    REMOTE_USER: 'bench',
    REMOTE_ADDR: '$remote_addr',
  }
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 2;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  default_type application/octet-stream;
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 600;
  keepalive_requests 100000000;
  client_max_body_size 0;
${temporary.map((name) => `  ${name}_temp_path ${folder}/temporary/${name};`).join('\n')}
  server {
    listen 127.0.0.1:${port};
    location /static/ { alias ${folder}/static/; }
    location ~ ^/git(/.*)$ {
      fastcgi_pass unix:${folder}/fcgiwrap.socket;
      # Both ways as it comes: nothing is kept on disk before it goes on.
      fastcgi_buffering off;
      fastcgi_buffer_size 64k;
      fastcgi_buffers 16 64k;
      fastcgi_request_buffering off;
      fastcgi_read_timeout 600;
${Object.entries(parameters)
  .map(([name, value]) => `      fastcgi_param ${name} "${value}";`)
  .join('\n')}
    }
  }
}
`
}
